// pages.mjs BASE WIDTHS PATH…: opens each page at each width, 390 in dark, with one browser, and prints a JSON list of
// what axe, the width, the console and the network say, and whether it says the same without JavaScript.
// axe takes most of the time: it judges a phone in dark and a wide screen in light. With SHOTS, such as 320-dark, both
// colours are opened.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const need = createRequire(resolve(process.env.EDITION_TOOLS, 'x.js'));
const { chromium } = need('playwright-core');
const axe = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8');
const [base, widths, ...paths] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
const judged = ['390-dark', '1280-light'];
const text = (page) => page.evaluate(() => document.body.innerText);
const found = [];
for (const width of widths.split(',').map(Number)) {
  for (const colorScheme of process.env.SHOTS ? ['light', 'dark'] : [width === 390 ? 'dark' : 'light']) {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    let requests, errors;
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.addInitScript(() => {
      globalThis.shifts = [];
      const named = (one) => one.node?.parentElement?.outerHTML.slice(0, 80) ?? 'a node that is gone';
      new PerformanceObserver((list) => list.getEntries().forEach(({ value, startTime, sources }) => {
        globalThis.shifts.push({ value, ms: Math.round(startTime), moved: sources.map(named) });
      })).observe({ type: 'layout-shift', buffered: true });
    });
    for (const path of paths) {
      [requests, errors] = [[], []];
      await page.goto(base + path);
      const shifts = await page.evaluate(() => globalThis.shifts);
      const verdict = { passes: null, violations: [] };
      if (judged.includes(`${width}-${colorScheme}`)) {
        await page.evaluate(axe);
        const options = { resultTypes: ['violations'], preload: !base.startsWith('file:') }; // it asks for style sheets
        const { violations, passes } = await page.evaluate((given) => globalThis.axe.run(document, given), options);
        verdict.passes = passes.length;
        verdict.violations = violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 160)}`);
      }
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth);
      const scrolled = await page.evaluate(() => [...document.querySelectorAll('body *')].filter((one) =>
        /auto|scroll/.test(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth).map((one) => one.className));
      // Rows of the menu, and buttons of a search that stand in a row of their own, without a field.
      const menuRows = await page.evaluate(() => new Set([...document.querySelectorAll('nav[aria-label=Site] a')].map((one) => one.getBoundingClientRect().bottom)).size);
      const looseButtons = await page.evaluate(() => [...document.querySelectorAll('[role=search] button')].filter((one) => {
        const bottom = (each) => Math.round(each.getBoundingClientRect().bottom);
        return ![...one.form.querySelectorAll('input, select')].some((field) => bottom(field) === bottom(one));
      }).length);
      found.push({
        menuRows, looseButtons, path, colorScheme, width, overflow, scrolled, errors, shifts, ...verdict,
        elsewhere: requests.filter((url) => !url.startsWith(base)),
        words: (await text(page)).length,
      });
      if (process.env.SHOTS && process.env.SHOTS.split(',').includes(`${width}-${colorScheme}`)) {
        const name = path.replace(/[^a-z0-9]+/gi, '_').replace(/^_|_$/g, '') || 'today';
        await page.screenshot({ path: `${process.env.SHOTS_TO}/${name}-${width}-${colorScheme}.png`, fullPage: !process.env.SHOTS_TOP });
      }
    }
    await page.close();
  }
}
const viewport = { width: Number(widths.split(',').at(-1)), height: 900 };
const plain = await browser.newPage({ javaScriptEnabled: false, viewport });
for (const path of paths) {
  await plain.goto(base + path);
  found.findLast((one) => one.path === path).wordsWithoutScript = (await plain.innerText('body')).length;
}
await browser.close();
console.log(JSON.stringify(found));
