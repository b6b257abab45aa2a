// A real OpenID provider whose people sign in without being asked: who it is stands in login_hint.
// Usage: node provider.mjs DIR-OF-NODE_MODULES REDIRECT_URI CLIENT_SECRET. Prints its issuer when it listens.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// Its notices would go where nobody reads any more.
console.info = () => {};

const [dir, redirectUri, secret] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(join(dir, 'node_modules/oidc-provider/lib/index.js')));

const people = {
  anna: { given_name: 'Anna', family_name: 'Ozola', personal_code: 'PNOLV-320000-00001' },
  nameless: { given_name: 'Bez', family_name: 'Koda' },
  foreign: { given_name: 'Mari', family_name: 'Tamm', personal_code: 'PNOEE-38001085718' },
};

const client = (id, more) => ({
  client_id: id,
  redirect_uris: [redirectUri],
  post_logout_redirect_uris: [new URL('/', redirectUri).href],
  response_types: ['code'],
  grant_types: ['authorization_code'],
  ...more,
});

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    client('dagr', { client_secret: secret }),
    client('other', { client_secret: 'another secret of another client' }),
    client('public', { token_endpoint_auth_method: 'none' }),
  ],
  pkce: { required: () => true },
  scopes: ['openid', 'profile', 'personal'],
  claims: { openid: ['sub'], profile: ['given_name', 'family_name'], personal: ['personal_code'] },
  findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  features: { devInteractions: { enabled: false } },
  cookies: { keys: ['only for tests'] },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  // Consent is given to whatever is asked.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid profile personal');
    await grant.save();
    return grant;
  },
});

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const { params } = await provider.interactionDetails(ctx.req, ctx.res);
  const who = params.login_hint;
  const result = people[who]
    ? { login: { accountId: who } }
    : { error: 'access_denied', error_description: 'the person turned back' };
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
});

server.on('request', provider.callback());
console.log(issuer);
