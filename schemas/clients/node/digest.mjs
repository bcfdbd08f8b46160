// Digests of records for a manifest: node digest.mjs invoice < facts.jsonl prints one for each line.
//
// A line is the `data` of a fact as you publish it. The kinds are member, invoice, payment, event, registration,
// consent and mailing. PRODUCERS.md has the normal form in words, and what a manifest is.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

// Fields that may be left out because they say what is so anyway.
const DEFAULTS = {
  invoice: { kind: 'invoice', status: 'issued', currency: 'EUR' },
  payment: { currency: 'EUR' },
  event: { status: 'planned' },
  registration: { status: 'registered', seats: 1 },
}
// Numbers that are written as text, with so many decimals.
const DECIMALS = {
  invoice: { net: 2, vat: 2, gross: 2, written_off: 2 },
  line: { quantity: 6, unit_price: 6, net: 2, vat_rate: 2 },
  'vat-rate': { rate: 2, net: 2, vat: 2 },
  payment: { amount: 2 },
  allocation: { amount: 2 },
  subscription: { amount: 2 },
}
// Lists of objects that hold such numbers, by what they are.
const PARTS = {
  invoice: { lines: 'line', vat_rates: 'vat-rate' },
  payment: { allocations: 'allocation' },
  member: { subscriptions: 'subscription' },
}
const MOMENTS = ['starts_at', 'ends_at', 'registered_at', 'decided_at', 'sent_at']

// 64 hex digits that are equal when two facts say the same of their record, whatever their versions.
export function digest(kind, { version, ...told }) {
  return createHash('sha256').update(canonical(withoutEmpty(normal(kind, told)))).digest('hex')
}

// Every value in the one writing that counts, without those that hold their default.
function normal(kind, data) {
  const told = Object.entries(data).filter(([name, value]) => value !== null && value !== DEFAULTS[kind]?.[name])
  return Object.fromEntries(told.map(([name, value]) => [name, inOneWriting(kind, name, value)]))
}

function inOneWriting(kind, name, value) {
  const places = DECIMALS[kind]?.[name]
  if (places) return Number(value).toFixed(places) // exact: at most 14 digits
  if (kind !== 'member' && MOMENTS.includes(name)) return new Date(value).toISOString().slice(0, 19) + 'Z'
  const part = PARTS[kind]?.[name]
  if (part) return value.map((one) => normal(part, one))
  return value
}

// Texts without white space at their ends; no empty field; lists sorted, each element once.
function withoutEmpty(value) {
  if (typeof value === 'string') return value.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '')
  if (Array.isArray(value)) {
    const each = new Map(value.map(withoutEmpty).map((one) => [canonical(one), one]))
    return [...each.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map((text) => each.get(text))
  }
  if (value === null || typeof value !== 'object') return value
  const told = Object.entries(value).map(([name, one]) => [name, withoutEmpty(one)])
  return Object.fromEntries(told.filter(([, one]) => !isEmpty(one)))
}

function isEmpty(value) {
  if (value === null || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

// RFC 8785: no spaces, names sorted by their UTF-16 code units, which is how JavaScript sorts. Written out, because an
// object puts names that are numbers first, whatever their order was.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const fields = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)
  return `{${fields.join(',')}}`
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const lines = readFileSync(0, 'utf8').split('\n').filter((line) => line.trim())
  for (const line of lines) console.log(digest(process.argv[2], JSON.parse(line)))
}
