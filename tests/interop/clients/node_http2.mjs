// node:http2 with prior knowledge.

import http2 from 'node:http2'
import { inPieces, main } from './common.mjs'

function upload(url, body, expect, authorization) {
  const session = http2.connect(url.origin)
  const answer = new Promise((resolve, reject) => {
    session.on('error', reject)
    const headers = { ':method': 'PUT', ':path': url.pathname, authorization }
    headers['content-length'] = body.length
    if (expect) headers.expect = '100-continue'
    const stream = session.request(headers)
    let status
    stream.on('response', (response) => { status = response[':status'] })
    stream.on('error', reject)
    stream.on('end', () => resolve(status))
    stream.resume()
    if (expect) {
      stream.on('continue', () => inPieces(body).pipe(stream))
    } else {
      inPieces(body).pipe(stream)
    }
  })
  return answer.finally(() => session.destroy())
}

await main(upload, process.argv.slice(2))
