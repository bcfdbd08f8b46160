// Publishes one MemberRecorded: node publish.mjs '{"record_id": "1042", "version": 7, "name": "Ateliers du Gier"}'
//
// Without an argument the fact is read from standard input. Needs `npm install`, and the broker's address in
// TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP (amqp://numelink.membership:password@host/traboule).
// Exits with 0 only when the broker has confirmed the message.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import amqp from 'amqplib'

const TYPE = 'fr.traboule.membership.member-recorded.v1'

async function publish(url, fact) {
  const user = decodeURIComponent(new URL(url).username) // numelink.membership
  const source = '/' + user.replace('.', '/')
  // The id comes from the content: publishing the same fact again, after a failure say, is the same event.
  const id = createHash('sha256').update(JSON.stringify([source, TYPE, fact])).digest('hex')
  const event = { specversion: '1.0', id, source, type: TYPE, data: fact }

  const connection = await amqp.connect(url)
  connection.on('error', () => {}) // told by the failed publish below
  try {
    const channel = await connection.createConfirmChannel()
    const problem = new Promise((_, fail) => {
      channel.on('error', fail) // 403: another user's routing key; 406: a user_id that is not ours
      channel.on('return', ({ fields }) => fail(new Error(`returned: ${fields.replyText}`)))
    })
    const confirmed = new Promise((done, fail) => {
      channel.publish(
        'traboule',
        `${user}.member-recorded`,
        Buffer.from(JSON.stringify(event)),
        {
          contentType: 'application/cloudevents+json',
          messageId: id,
          userId: user,
          headers: { timestamp_in_ms: Date.now() }, // tells how long messages take
          persistent: true,
          mandatory: true,
        },
        (error) => (error ? setImmediate(fail, error) : done(id)), // later, so that the broker's reason is told first
      )
    })
    return await Promise.race([problem, confirmed])
  } finally {
    await connection.close().catch(() => {})
  }
}

try {
  const fact = JSON.parse(process.argv[2] ?? readFileSync(0, 'utf8'))
  console.log(await publish(process.env.TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP, fact))
} catch (error) {
  console.error(`not published: ${error.message}`)
  process.exitCode = 1
}
