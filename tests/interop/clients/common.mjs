// What the clients written in JavaScript share: the command line and the output, as in common.py.

import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'

async function run(upload, [url, bytes, expect, token, runs]) {
  const body = Buffer.alloc(Number(bytes))
  const authorization = `Bearer ${token}`
  for (let done = 0; done < Number(runs); done++) {
    let outcome
    try {
      outcome = await upload(new URL(url), body, expect === '1', authorization)
    } catch (error) {
      const cause = error.cause ?? error
      outcome = `error:${cause.code ?? cause.message}`
    }
    console.log(String(outcome))
  }
}

// For HTTP/2, where Node refuses to receive a response while more than 10 MB wait to be sent.
export function inPieces(body) {
  const size = 1 << 16
  const count = Math.ceil(body.length / size)
  const pieces = Array.from({ length: count }, (_, i) => body.subarray(i * size, (i + 1) * size))
  return Readable.from(pieces)
}

// Calls upload(url, body, expect, authorization), which resolves to the status, once a run.
export async function main(upload, job) {
  if (job.length) return run(upload, job)
  for await (const line of createInterface({ input: process.stdin })) {
    await run(upload, line.trim().split(/\s+/))
  }
}
