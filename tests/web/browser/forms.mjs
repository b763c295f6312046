// forms.mjs BASE TOKEN STORY OUTLET…: with and without JavaScript, keeps a story, writes a note, and adds the source of
// one outlet from the bookmarklet. Prints what was seen as a JSON list; axe judges the pages of the form at four widths.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const need = createRequire(resolve(process.env.EDITION_TOOLS, 'x.js'));
const { chromium } = need('playwright-core');
const axe = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8');
const [base, password, story, ...outlets] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
const found = [];
for (const [n, javaScriptEnabled] of [true, false].entries()) {
  const httpCredentials = { username: '', password };
  const page = await (await browser.newContext({ httpCredentials, javaScriptEnabled })).newPage();
  const errors = [];
  page.on('console', (message) => message.type() === 'error' && message.location().url.startsWith(base) && !/401/.test(message.text()) && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(String(error)));
  const seen = { javaScriptEnabled, errors, violations: [], overflow: [] };
  const judge = async () => {
    for (const [width, colorScheme] of javaScriptEnabled ? [[320, 'light'], [390, 'dark'], [768, 'light'], [1280, 'light']] : []) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
      seen.violations.push(...violations.map((one) => `${page.url()} ${width} ${one.id}: ${one.nodes[0].html.slice(0, 160)}`));
      seen.overflow.push(await page.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth));
    }
  };
  await page.goto(base + story);
  await page.click('button:has-text("Keep this story")');
  await page.click('summary:has-text("Tags and note")');
  await page.fill('textarea[name=note]', `Note ${n}: ask for the minutes`);
  await page.fill('input[name=tags]', 'quake, harbour');
  await page.click('button:has-text("Save tags and note")');
  await page.goto(`${base}/kept`);
  seen.kept = await page.innerText('main');
  await page.goto(base + story);
  await page.click('button:has-text("Stop keeping")');

  await page.goto(`${base}/sources/add`);
  await judge();
  const bookmarklet = await page.getAttribute('a[href^="javascript:"]', 'href');
  if (javaScriptEnabled) {
    await page.goto(outlets[n]);
    const script = decodeURIComponent(bookmarklet.replace('javascript:', ''));
    await Promise.all([page.waitForURL(/sources\/add/), page.evaluate(script)]);
  } else {
    await page.goto(`${base}/sources/add?url=${encodeURIComponent(outlets[n])}`);
  }
  seen.filled = await page.inputValue('input[name=url]');
  seen.before = await page.innerText('main');
  for (let tries = 0; tries < 4; tries += 1) { // on a busy machine, the site may not be read within its time
    await page.click('button:has-text("Show its feeds")');
    await page.waitForSelector('#feed_1, h1:has-text("Not done")', { timeout: 60000 });
    if (await page.$('#feed_1')) break;
    await page.goto(`${base}/sources/add?url=${encodeURIComponent(outlets[n])}`);
  }
  seen.shown = await page.innerText('main');
  await judge();
  await page.fill('input[name=name]', `Outlet ${n}`);
  await page.click('button:has-text("Add this source")');
  seen.added = await page.innerText('main');
  seen.at = new URL(page.url()).pathname;
  await judge();
  found.push(seen);
}
await browser.close();
console.log(JSON.stringify(found));
