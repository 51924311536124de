"""aiohttp."""

import asyncio
import sys
import warnings

import aiohttp
import common

warnings.simplefilter("ignore", ResourceWarning)


async def put(url, body, expect, token):
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session:
        async with session.put(url, data=body, headers=headers, expect100=expect) as response:
            await response.read()
            return response.status


common.main(lambda *job: asyncio.run(put(*job)), sys.argv[1:])
