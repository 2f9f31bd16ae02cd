"""The web page at ``GET /``: facts about the model, and a form for a request.

``page.py`` computes the values and renders ``templates/page.html``. The page is one response: style
and script are inside it.
"""

from .page import CONTENT_SECURITY_POLICY, CONTENT_TYPE, render_page

__all__ = ["CONTENT_SECURITY_POLICY", "CONTENT_TYPE", "render_page"]
