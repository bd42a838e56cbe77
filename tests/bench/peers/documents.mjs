// What the scripts have in common: the documents of the benchmark, a JSON object a line; and the clock.
import { readFileSync } from 'node:fs'

export const read = path => readFileSync(path, 'utf8').split('\n').filter(line => line !== '').map(line => JSON.parse(line))

export const small = { name: 'goat', version: '1.0-1', section: 'animals', size: 0 }

export const now = () => process.hrtime.bigint()
export const since_ms = begin => Number(now() - begin) / 1e6
export const tell = message => process.send(message)
