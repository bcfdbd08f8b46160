// A real OpenID provider for tests, on loopback: `node provider.mjs PORT REDIRECT_URI`. Its own pages for signing in.
import Provider from 'oidc-provider';

const [port, redirectUri] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'traboule', client_secret: 'secret', redirect_uris: [redirectUri], application_type: 'native' }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false,
  pkce: { methods: ['S256'], required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@numelink.example`, email_verified: true, name: id }),
  }),
});
provider.listen(Number(port), '127.0.0.1');
