// node:http; the variant `close` has no agent, so that the request says `Connection: close`.

import http from 'node:http'
import { main } from './common.mjs'

const [variant, ...job] = process.argv.slice(2)

function upload(url, body, expect, authorization) {
  return new Promise((resolve, reject) => {
    const agent = variant === 'close' ? false : new http.Agent({ keepAlive: true })
    const headers = { authorization, 'content-length': body.length }
    if (expect) headers.expect = '100-continue'
    const request = http.request(url, { method: 'PUT', agent, headers })
    request.on('error', reject)
    request.on('response', (response) => {
      response.on('error', reject)
      response.on('end', () => {
        resolve(response.statusCode)
        if (agent) agent.destroy()
      })
      response.resume()
    })
    if (expect) {
      request.on('continue', () => request.end(body))
      request.flushHeaders()
    } else {
      request.end(body)
    }
  })
}

await main(upload, job)
