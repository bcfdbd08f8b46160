"""The same framework, answering constant bytes: FastAPI under uvicorn as our services run it."""

import os
from pathlib import Path

import uvicorn
import uvloop
from fastapi import FastAPI
from starlette.responses import Response

BODY = Path(os.environ["BENCH_BODY"]).read_bytes()
app = FastAPI()


@app.get("/members/{member_id}")
async def member(member_id: str) -> Response:
    """The same for everyone."""
    return Response(BODY, media_type="application/json")


async def main() -> None:
    """Serve until told to stop."""
    port = int(os.environ["BENCH_PORT"])
    config = uvicorn.Config(app, "127.0.0.1", port, log_config=None, access_log=False, lifespan="off", loop="none")
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    uvloop.run(main())
