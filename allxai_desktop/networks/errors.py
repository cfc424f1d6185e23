"""What goes wrong with networks."""

from allxai_desktop.errors import AllxaiError


class NetworkError(AllxaiError):
    """A network that cannot be found, read or trusted."""
