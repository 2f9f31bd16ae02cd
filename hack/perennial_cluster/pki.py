"""Certificates of a local cluster, created with the `openssl` program."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from perennial_build.progress import capture

DAYS = "3650"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Subject:
    """The subject of a certificate: Kubernetes takes the user and the group from it."""

    user: str
    group: str = ""
    addresses: Sequence[str] = ()
    """Names and IP addresses of a server; empty for a client."""


class Authority:
    """A certificate authority with its certificates, in a folder of root's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def key(self) -> Path:
        return self.folder / "ca.key"

    @property
    def account_key(self) -> Path:
        """Key that signs the tokens of service accounts."""
        return self.folder / "service-accounts.key"

    @property
    def account_public_key(self) -> Path:
        return self.folder / "service-accounts.pub"

    def create(self) -> None:
        """Create the authority and the key pair of service accounts."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        subject = ("-subj", "/CN=perennial-local-cluster", "-days", DAYS)
        capture(
            [
                *("openssl", "req", "-x509", *_NEW_KEY, "-keyout", self.key, *subject),
                *("-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"),
                *("-out", self.certificate),
            ]
        )
        capture(["openssl", "genrsa", "-out", self.account_key, "2048"])
        capture(
            ["openssl", "rsa", "-in", self.account_key, "-pubout", "-out", self.account_public_key]
        )

    def issue(self, name: str, subject: Subject) -> tuple[Path, Path]:
        """Return the certificate and the key of a subject, created on first use."""
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        if certificate.exists():
            return certificate, key
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        group = f"/O={subject.group}" if subject.group else ""
        capture(
            [
                *("openssl", "req", "-new", *_NEW_KEY, "-keyout", key, "-out", request),
                *("-subj", f"{group}/CN={subject.user}"),
            ]
        )
        extensions.write_text(extension_lines(subject))
        capture(
            [
                *("openssl", "x509", "-req", "-in", request, "-CA", self.certificate),
                *("-CAkey", self.key, "-CAcreateserial", "-days", DAYS),
                *("-extfile", extensions, "-out", certificate),
            ]
        )
        return certificate, key

    def kubeconfig(self, target: Path, server: str, name: str, subject: Subject) -> Path:
        """Write a kubeconfig that contains its certificates. JSON is valid YAML."""
        certificate, key = self.issue(name, subject)
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "perennial",
                    "cluster": {
                        "server": server,
                        "certificate-authority-data": _encoded(self.certificate),
                    },
                }
            ],
            "users": [
                {
                    "name": name,
                    "user": {
                        "client-certificate-data": _encoded(certificate),
                        "client-key-data": _encoded(key),
                    },
                }
            ],
            "contexts": [{"name": name, "context": {"cluster": "perennial", "user": name}}],
            "current-context": name,
        }
        target.parent.mkdir(parents=True, exist_ok=True)
        # The mode is set before the content is written.
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            json.dump(document, handle, indent=1)
        return target


def extension_lines(subject: Subject) -> str:
    """Return the extensions of a certificate, in openssl's format."""
    usage = "clientAuth"
    lines = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"]
    if subject.addresses:
        usage += ",serverAuth"
        kinds = ("IP" if _is_ip(address) else "DNS" for address in subject.addresses)
        names = (f"{kind}:{a}" for kind, a in zip(kinds, subject.addresses, strict=True))
        lines.append(f"subjectAltName={','.join(names)}")
    return "\n".join([*lines, f"extendedKeyUsage={usage}", ""])


def _is_ip(address: str) -> bool:
    return address.replace(".", "").isdigit()


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
