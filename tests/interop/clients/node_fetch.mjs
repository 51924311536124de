// Node's own fetch, with a new pool of connections for each run.

import { main } from './common.mjs'

await fetch('data:,')
const Agent = globalThis[Symbol.for('undici.globalDispatcher.1')].constructor

async function upload(url, body, expect, authorization) {
  const dispatcher = new Agent()
  try {
    const headers = { authorization }
    const response = await fetch(url, { method: 'PUT', headers, body, dispatcher })
    await response.arrayBuffer()
    return response.status
  } finally {
    dispatcher.destroy()
  }
}

await main(upload, process.argv.slice(2))
