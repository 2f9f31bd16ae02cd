"""Servers to measure, one file each; ``programs/`` runs in their environments."""

from .base import Peer
from .bentoml import BentoML
from .fastapi import FastAPI
from .kserve import KServe
from .litserve import LitServe
from .mlserver import MLServer
from .perennial import Perennial
from .triton import Triton

PEERS: tuple[Peer, ...] = (
    Perennial(),
    Triton(),
    KServe(),
    MLServer(),
    FastAPI(),
    BentoML(),
    LitServe(),
)
"""Servers to measure: first Perennial, which the others are compared with."""
