// node:http2 with prior knowledge.

import http2 from 'node:http2'
import { main } from './common.mjs'

function upload(url, body, expect, authorization) {
  return new Promise((resolve, reject) => {
    const session = http2.connect(url.origin)
    session.on('error', reject)
    const headers = { ':method': 'PUT', ':path': url.pathname, authorization }
    headers['content-length'] = body.length
    if (expect) headers.expect = '100-continue'
    const stream = session.request(headers)
    let status
    stream.on('response', (response) => { status = response[':status'] })
    stream.on('error', reject)
    stream.on('end', () => {
      resolve(status)
      session.destroy()
    })
    stream.resume()
    if (expect) {
      stream.on('continue', () => stream.end(body))
    } else {
      stream.end(body)
    }
  })
}

await main(upload, process.argv.slice(2))
