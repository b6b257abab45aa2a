// node life.mjs BASE TOKEN_COMMAND MODE   A whole life in Latvian, in a real browser: apply → return → partial approval →
// look-up succeeds, the refused field is refused → the citizen sees it in "Mani dati" → revoke → look-up fails.
// MODE: pointer, keyboard (Tab, Space, Enter and typing only), plain (no JavaScript).
import { chromium } from 'playwright-core';
import { execSync } from 'node:child_process';
import assert from 'node:assert/strict';

const [base, tokenCommand, mode = 'pointer'] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const people = { applicant: '39000000101', lawyer: '39000000103', provider: '39000000104', head: '39000000105', operator: '39000000106' };

/** Somebody at a screen: says what is done, not how. */
class Actor {
  static async signIn(code) {
    const context = await browser.newContext({ javaScriptEnabled: mode !== 'plain', locale: 'lv-LV' });
    const actor = new Actor();
    actor.page = await context.newPage();
    actor.page.on('pageerror', (error) => { throw error; });
    await actor.open('/lv/sign-in');
    await actor.write('#code', code);
    await actor.press('.form button.primary');
    return actor;
  }
  async open(path) { await this.page.goto(base + path); }
  /** With the keyboard: Tab until it has the focus. */
  async reach(selector) {
    const wanted = this.page.locator(selector).first();
    await wanted.waitFor({ state: 'attached' });
    if (await wanted.evaluate((e) => e === document.activeElement)) return;
    await this.page.evaluate(() => { document.activeElement?.blur?.(); window.getSelection()?.removeAllRanges(); });
    for (let i = 0; i < 400; i += 1) {
      await this.page.keyboard.press('Tab');
      const there = await wanted.evaluate((e) => e === document.activeElement || (e.type === 'radio' && e.name !== '' && document.activeElement?.name === e.name));
      if (there) {
        const shown = await this.page.evaluate(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0; });
        assert(shown, `the focus is not seen at ${selector}`);
        return;
      }
    }
    assert.fail(`${selector} is not reached by Tab at ${this.page.url()}`);
  }
  async press(selector) {
    if (mode !== 'keyboard') return this.page.locator(selector).first().click();
    await this.reach(selector);
    await Promise.all([this.page.waitForLoadState('load'), this.page.waitForNavigation(), this.page.keyboard.press('Enter')]);
  }
  async write(selector, text) {
    if (mode !== 'keyboard') return this.page.locator(selector).first().fill(text);
    await this.reach(selector);
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.insertText(text);
  }
  async tick(selector, on = true) {
    const box = this.page.locator(selector).first();
    if ((await box.isChecked()) === on) return;
    if (mode !== 'keyboard') return box.setChecked(on);
    await this.reach(selector);
    for (let i = 0; i < 10 && (await box.isChecked()) !== on; i += 1) {
      const here = await box.evaluate((e) => e === document.activeElement);
      await this.page.keyboard.press(here ? 'Space' : 'ArrowDown');
    }
    assert.equal(await box.isChecked(), on, selector);
  }
  async sees(text) {
    const body = await this.page.locator('main').innerText();
    assert(body.includes(text), `${this.page.url()} does not say “${text}”:\n${body.slice(0, 1500)}`);
  }
}

const token = execSync(tokenCommand, { encoding: 'utf8' }).trim();
const lookUp = (permission, code, query = '') => fetch(`${base}/data/fpr_person/records/${code}${query}`, {
  headers: { authorization: `Bearer ${token}`, 'x-dagr-permission': permission },
});
// Somebody of the register, to be asked about: their code stands in the story's citizen at the sign-in page.
const visitor = await (await browser.newContext()).newPage();
await visitor.goto(`${base}/lv/sign-in`);
const citizen = await visitor.locator('li:has-text("iedzīvotājs") input[name=code]').getAttribute('value');

const zane = await Actor.signIn(people.applicant);
await zane.open('/lv/?q=fizisko+personu');
await zane.press('.results a[href$="fpr_person"]');
await zane.press('a.button.primary');
await zane.press('main form button.primary');
const draft = new URL(zane.page.url()).pathname;
await zane.press(`a[href="${draft}/fields"]`);
await zane.write('#law-all', 'Sociālo pakalpojumu likuma 4. pants');
for (const field of ['PersonCode', 'Name', 'AddressCode', 'SpouseCode']) await zane.tick(`[id="field-${field}"]`);
if (mode === 'pointer') {
  await zane.page.locator('#preview:has-text("SpouseCode")').waitFor();
  await zane.page.locator('#kept:has-text("Melnraksts saglabāts")').waitFor();
}
await zane.press('main button.primary');
await zane.write('#purpose', 'Dzīvokļa pabalsta piešķiršana');
await zane.write('#legal_basis', 'Sociālo pakalpojumu un sociālās palīdzības likuma 35. pants');
await zane.write('#use_case', 'Sociālais dienests pārbauda iesniedzēja norādīto.');
await zane.press('main button.primary');
await zane.press('main button.primary');
await zane.sees('Iesniedzot jūs apliecināt');
await zane.press('main button.primary');
await zane.sees('Pieteikums iesniegts.');

const inese = await Actor.signIn(people.lawyer);
await inese.open(draft);
await inese.write('#reason', 'Lūdzu, norādiet panta daļu.');
await inese.press('form[action$="/decide"] button');
await inese.press('main form button');
await inese.sees('atgriezts precizēšanai');
await zane.open('/lv/work');
await zane.press(`a[href="${draft}"]`);
await zane.sees('Lūdzu, norādiet panta daļu.');
await zane.press(`a[href="${draft}/purpose"]`);
await zane.write('#legal_basis', 'Sociālo pakalpojumu un sociālās palīdzības likuma 35. panta otrā daļa');
await zane.press('main button.primary');
await zane.press('main button.primary');
await zane.press('main button.primary');
await zane.sees('iesniegts atkārtoti');

const peteris = await Actor.signIn(people.provider);
await peteris.open('/lv/work');
await peteris.open(draft);
await peteris.tick('[id="grant-SpouseCode"]', false);
await peteris.write('[name="why:SpouseCode"]', 'Laulātā kods pabalstam nav vajadzīgs.');
await peteris.tick('#choice-give');
await peteris.press('form[action$="/decide"] button.primary');
await peteris.sees('Nedosiet 1 lauku');
await peteris.press('main form button.primary');
await peteris.sees('Apstiprināts daļēji. Atļauja ir spēkā.');
const permission = (await peteris.page.locator('main a[href*="/permissions/"]').first().innerText()).trim();

// Enforced at once, exactly.
const given = await lookUp(permission, citizen);
assert.equal(given.status, 200);
assert.deepEqual(Object.keys(await given.json()).sort(), ['AddressCode', 'Name', 'PersonCode']);
const refused = await lookUp(permission, citizen, '?fields=SpouseCode');
assert.equal(refused.status, 403);

// The person sees it.
const anna = await Actor.signIn(citizen);
await anna.open('/lv/my-data');
await anna.sees('Rīgas valstspilsētas pašvaldība');
await anna.sees('Dzīvokļa pabalsta piešķiršana');

// Narrowed: the field is gone at once, the rest stays.
await zane.open(`/lv/permissions/${permission}/narrow`);
await zane.tick('input[name=field][value=AddressCode]');
await zane.write('#reason', 'Adrese vairs nav vajadzīga.');
await zane.press('main form button');
await zane.sees('Atļauja sašaurināta.');
assert.deepEqual(Object.keys(await (await lookUp(permission, citizen)).json()).sort(), ['Name', 'PersonCode']);

// Revoked: no look-up a second later.
await peteris.open(`/lv/permissions/${permission}`);
await revoke(peteris);
const gone = Date.now();
const after = await lookUp(permission, citizen);
assert.equal(after.status, 403);
assert(Date.now() - gone < 1_000);
// A plan of each scenario, from its start to its end.
const dace = await Actor.signIn(people.head);
for (const scenario of ['new_dataset', 'move_to_dagr', 'behind_api_manager']) await planned(scenario);

console.log(`the life was lived (${mode}): application ${draft.split('/').pop()}, permission ${permission}`);
await browser.close();

async function revoke(actor) {
  await actor.press('main a[href$="/revoke"]');
  await actor.write('main form [name=reason]', 'Pabalsts vairs netiek maksāts.');
  await actor.press('main form button');
  await actor.sees('atsaukta');
}

async function planned(scenario) {
  await dace.open('/lv/plans/new');
  await dace.tick(`input[name=scenario][value=${scenario}]`);
  await dace.write('#title', `Pāreja: ${scenario}`);
  await (scenario === 'behind_api_manager' ? dace.write('#service', 'Pakalpe') : dace.write('#dataset', 'fpr_person'));
  await dace.write('textarea[name=recipients]', '90000000812');
  await dace.press('main form button.primary');
  const plan = new URL(dace.page.url()).pathname;
  for (const actor of [dace, zane]) {
    await actor.open(plan);
    // Each side its own steps: those that offer it.
    for (let left = 20; left > 0; left -= 1) {
      const open = actor.page.locator('li:has(button[value=done])').first();
      if ((await open.count()) === 0) break;
      const step = await open.getAttribute('id');
      if (mode === 'keyboard') {
        await actor.reach(`#${step} summary`);
        await actor.page.keyboard.press('Enter');
      } else {
        await open.locator('summary').click();
      }
      await actor.press(`#${step} button[value=done]`);
    }
  }
  await dace.open(plan);
  dace.page.removeAllListeners('dialog');
  dace.page.on('dialog', (dialog) => dialog.accept());
  await dace.press('form[action$="/close"] button');
  await dace.sees('Plāns slēgts');
}
