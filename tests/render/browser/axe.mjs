// axe.mjs FILE…: opens each page at four widths, one of them in dark, and prints a JSON list of what axe, the width and
// the network say. Mails are judged by WCAG alone: they have no landmarks of their own.
// Dark and light differ in colours alone. axe takes most of the time: it judges the page that has everything at each
// width, and the others on a phone in dark and on a wide screen in light.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const need = createRequire(resolve(process.env.EDITION_TOOLS, 'x.js'));
const { chromium } = need('playwright-core');
const axe = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8');
const wcag = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] };
const looks = [[320, 'light'], [390, 'dark'], [768, 'light'], [1280, 'light']];
const isJudged = (file, width) => [390, 1280].includes(width) || /\/moved\.html$/.test(file);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
const found = [];
for (const [width, colorScheme] of looks) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  let requests;
  page.on('request', (request) => requests.push(request.url()));
  for (const file of process.argv.slice(2)) {
    requests = [];
    await page.goto('file://' + resolve(file));
    const verdict = { passes: null, violations: [] };
    if (isJudged(file, width)) {
      await page.evaluate(axe);
      const options = { resultTypes: ['violations'], ...(file.endsWith('mail.html') ? wcag : {}) };
      const { violations, passes } = await page.evaluate((given) => globalThis.axe.run(document, given), options);
      verdict.passes = passes.length;
      verdict.violations = violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 160)}`);
    }
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth);
    const lead = await page.evaluate(() => document.querySelector('h3')?.getBoundingClientRect().bottom ?? 0);
    const opened = await page.evaluate(() => [...document.querySelectorAll('.story > p')].map((one) => one.checkVisibility({ contentVisibilityAuto: true })));
    const contents = await page.evaluate(() => document.querySelector('ol a')?.checkVisibility() ?? null);
    found.push({
      lead, opened, contents, file, colorScheme, width, overflow, ...verdict,
      elsewhere: requests.filter((url) => !url.startsWith('file://')),
    });
  }
  await page.close();
}
await browser.close();
console.log(JSON.stringify(found));
