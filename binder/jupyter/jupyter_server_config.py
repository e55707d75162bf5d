"""The kernel's messages go to the browser at once, in the course's JupyterLab and on Binder.

TCP holds a small message back until the one before has been acknowledged, and a browser with nothing to say takes
40 ms for that. A picture that follows the hand is such a message: right before it comes "the kernel is busy".
"""

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """A connection to a browser that waits for no acknowledgement."""

    def connect(self) -> Any:
        """Connect the kernel's channels with the browser's socket."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()


c.ServerApp.kernel_websocket_connection_class = PromptConnection  # noqa: F821  (the server gives c)
