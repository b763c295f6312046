"""The sample press: invented outlets print invented news on loopback, the true stories and reports beside it."""

from watcher.press.server import Press, Request

__all__ = ["Press", "Request"]
