"""Whether the way to the server costs money."""

from jellytui.engine.downloads.network.cost import Cost
from jellytui.engine.downloads.network.watch import NetworkWatch

__all__ = ["Cost", "NetworkWatch"]
