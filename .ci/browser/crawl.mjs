// node crawl.mjs BASE OUT CODE…   Every page that people of these codes (and nobody) can reach by links, in both languages
// and both colour modes: WCAG 2.2 AA by axe, no console errors, below 100 kB. The HTML is left in OUT for the Nu checker.
import { chromium } from 'playwright-core';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [base, out, ...codes] = process.argv.slice(2);
// Given to the page by the driver: its own policy lets no script in but ours.
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
mkdirSync(out, { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const faults = [];
// Kinds of pages: far more than there are.
const MOST = 1_500;
const seen = new Set();

// Pages that differ only in numbers are of one kind; of data sets the first is taken.
const kind = (path) => path
  .replace(/([?&])(after|from|done|q|seed|dataset|number|person|code|template)=[^&]*/g, '$1$2=')
  .replace(/(datasets|my-datasets|systems|services|resources|classifiers|acts|law)\/(?!new)[^/?#]+/, '$1/ONE')
  .replace(/\d[\w.-]*/g, 'N')
  .replace(/#.*/, '');

async function judge(page, path, who, scheme) {
  const found = await page.evaluate(async (scheme) => {
    const all = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    // In the dark only colours differ.
    const run = await globalThis.axe.run(scheme === 'light' ? { runOnly: all } : { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } });
    return run.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`);
  }, scheme);
  for (const one of found) faults.push(`${path} (${who}, ${scheme}): ${one}`);
}

async function visit(context, who, start) {
  const page = await context.newPage();
  page.on('console', (message) => {
    const expected = /status of (4\d\d)/.test(message.text());
    if (message.type() === 'error' && !expected) faults.push(`${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`${page.url()}: ${error}`));
  const open = [...start];
  while (open.length > 0 && seen.size < MOST) {
    const path = open.shift();
    const name = `${who}: ${kind(path)}`;
    if (seen.has(name)) continue;
    seen.add(name);
    const answer = await page.goto(base + path).catch((error) => { faults.push(`${path} (${who}): ${error}`); return null; });
    if (!answer || !(answer.headers()['content-type'] || '').startsWith('text/html')) continue;
    if (answer.status() >= 500) faults.push(`${path} (${who}): ${answer.status()}`);
    const html = await answer.text().catch(() => '');
    if (Buffer.byteLength(html) > 100_000) faults.push(`${path} (${who}): ${Buffer.byteLength(html)} bytes`);
    writeFileSync(`${out}/${String(seen.size).padStart(3, '0')}.html`, html);
    writeFileSync(`${out}/${String(seen.size).padStart(3, '0')}.path`, `${who} ${path}`);
    await page.evaluate(axe);
    for (const scheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme: scheme });
      await judge(page, path, who, scheme);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);
    if (wide) faults.push(`${path} (${who}): wider than the window`);
    const links = await page.$$eval('a[href]', (all) => all.map((a) => a.getAttribute('href')));
    for (const link of links) if (/^\/(lv|en)(\/|$)/.test(link) && !/\.(csv|json|pem)/.test(link)) open.push(link);
  }
  await page.close();
}

for (const code of ['', ...codes]) {
  const context = await browser.newContext({ viewport: { width: 1024, height: 800 } });
  if (code) {
    const page = await context.newPage();
    await page.goto(`${base}/lv/sign-in`);
    await page.fill('#code', code);
    await page.click('.form button.primary');
    await page.close();
  }
  await visit(context, code || 'nobody', ['/lv/', '/en/', '/lv/nowhere', '/en/nowhere']);
  await context.close();
}
await browser.close();
if (seen.size >= MOST) faults.push(`more than ${MOST} kinds of pages: name what differs only in its subject`);
console.log(`${seen.size} pages looked at`);
if (faults.length > 0) {
  console.log(faults.join('\n'));
  process.exit(1);
}
