// undici from npm, found by NODE_MODULES; the variants are h1 and h2.

import { createRequire } from 'node:module'
import { inPieces, main } from './common.mjs'

const { Client } = createRequire(`${process.env.NODE_MODULES}/`)('undici')
const [variant, ...job] = process.argv.slice(2)

async function upload(url, body, expect, authorization) {
  const http2 = variant === 'h2'
  const client = new Client(url.origin, { allowH2: http2, useH2c: http2 })
  try {
    const headers = { authorization, 'content-length': String(body.length) }
    const content = http2 ? inPieces(body) : body
    const options = { method: 'PUT', path: url.pathname, headers, body: content }
    const response = await client.request(options)
    await response.body.dump()
    return response.statusCode
  } finally {
    client.destroy()
  }
}

await main(upload, job)
