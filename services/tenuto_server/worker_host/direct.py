"""The SDK's way to a server in the same process: calls go straight to the public handler, without a socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TypeVar

from google.protobuf.message import Message

from tenuto.client import BaseConnection, RpcMethod, rpc_error
from tenuto.errors import DeadlineExceededError, InternalServiceError
from tenuto_server.errors import ServiceError
from tenuto_server.transport.public import PublicCall, PublicHandler

Req = TypeVar("Req", bound=Message)
Resp = TypeVar("Resp", bound=Message)

logger = logging.getLogger(__name__)

CALL_SECONDS = 10.0


class DirectConnection(BaseConnection):
    """Calls a public handler as an acceptor would, and answers with the errors that a socket would have brought."""

    def __init__(self, handler: PublicHandler, identity: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(identity, headers)
        self._handler = handler

    async def call_once(self, method: RpcMethod[Req, Resp], request: Req, timeout: float = CALL_SECONDS) -> Resp:
        """Calls once. Raises RpcError."""
        late = DeadlineExceededError(f"{method.name}: no answer in time", 4)
        if timeout <= 0:
            raise late
        deadline = asyncio.get_running_loop().time() + timeout
        call = PublicCall(method.path.removeprefix("/"), self.headers, deadline, request.SerializeToString())
        try:
            async with asyncio.timeout_at(deadline):
                body = await self._handler(call)
        except ServiceError as error:
            raise rpc_error(error.status, error.message, error.status_details()) from None
        except TimeoutError:
            raise late from None
        except Exception as error:
            logger.exception("handler of %s failed", call.method)
            raise InternalServiceError("internal error", 13) from error
        return method.response.FromString(body)
