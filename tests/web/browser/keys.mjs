// keys.mjs BASE STORY: walks the site by keys alone and prints where that led, as a JSON list of one.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const need = createRequire(resolve(process.env.EDITION_TOOLS, 'x.js'));
const { chromium } = need('playwright-core');
const [base, story] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
const page = await browser.newPage();
const focused = () => page.evaluate(() => document.activeElement.getAttribute('href') ?? document.activeElement.name);
const at = () => page.evaluate(() => location.pathname);
const go = async (path, ...keys) => {
  await page.goto(base + path);
  for (const key of keys) await page.keyboard.press(key);
};
const left = async (...keys) => {
  const [last] = keys.splice(-1);
  for (const key of keys) await page.keyboard.press(key);
  await Promise.all([page.waitForNavigation(), page.keyboard.press(last)]);
  return at();
};
const found = {};
await go('/', 'Tab');
found.skip = await page.evaluate(() => document.activeElement.innerText);
found.outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
await go(story, 'j');
found.afterJ = await focused();
await page.keyboard.press('j');
found.afterJJ = await focused();
await page.keyboard.press('k');
found.afterK = await focused();
found.opened = await left('o');
await go('/', 'j');
found.jOfToday = await focused();
await go('/search', '/');
found.slash = await focused();
await go(story);
found.slashFromStory = await left('/');
await go(story);
found.ga = await left('g', 'a');
found.gs = await left('g', 's');
found.gt = await left('g', 't');
await page.keyboard.press('?');
found.keysOpen = await page.evaluate(() => document.querySelector('.keys').open);
await browser.close();
console.log(JSON.stringify([found]));
