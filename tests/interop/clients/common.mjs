// What the clients written in JavaScript share: the command line and the output, as in common.py.

import { createInterface } from 'node:readline'

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

// Calls upload(url, body, expect, authorization), which resolves to the status, once a run.
export async function main(upload, job) {
  if (job.length) return run(upload, job)
  for await (const line of createInterface({ input: process.stdin })) {
    await run(upload, line.trim().split(/\s+/))
  }
}
