// phone.mjs FOLDER WORD…: looks at each page of a built site on a phone of 390 px and searches for the words on its first
// page; prints JSON: what overflows on which page, what was loaded from elsewhere, and what each search found.
// To open a page takes ten times as long as to lay out its text, and the theme around the texts is the same: the first
// page and those with images are opened, and the texts of all others are put into the first one.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const need = createRequire(resolve(process.env.EDITION_TOOLS, 'x.js'));
const { chromium } = need('playwright-core');
const [folder, ...words] = process.argv.slice(2);
const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.html') && name !== '404.html');
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 390, height: 800 } });
const elsewhere = [];
page.on('request', (request) => /^(file|data|about|blob):/.test(request.url()) || elsewhere.push(request.url()));
const open = (file) => page.goto('file://' + resolve(folder, file));
// Code in a block of its own may be wider than the page: it is scrolled in its box.
const measure = () => page.evaluate(() => [
  ...(document.documentElement.scrollWidth > globalThis.innerWidth ? ['the page'] : []),
  ...[...document.querySelectorAll('.md-content table, .md-content .md-typeset__scrollwrap')]
    .filter((one) => one.scrollWidth > one.clientWidth)
    .map((one) => one.textContent.trim().slice(0, 40)),
]);
const textOf = (file) => /<article class="md-content__inner[^>]*>(.*)<\/article>/s.exec(readFileSync(resolve(folder, file), 'utf8'))[1];
const isOpened = (file) => file === 'index.html' || textOf(file).includes('<img');
const overflow = [];
const judge = async (file) => {
  const wide = await measure();
  if (wide.length) overflow.push([file, wide]);
};
for (const file of files.filter(isOpened)) {
  await open(file);
  await judge(file);
}
await open('index.html');
for (const file of files.filter((file) => !isOpened(file))) {
  await page.evaluate((text) => { document.querySelector('.md-content__inner').innerHTML = text; }, textOf(file));
  await judge(file);
}
await page.setViewportSize({ width: 1280, height: 800 });
const found = {};
for (const word of words) {
  await open('index.html');
  await page.click('input.md-search__input');
  await page.keyboard.type(word);
  await page.waitForFunction(() => /matching/.test(document.querySelector('.md-search-result__meta').textContent));
  found[word] = await page.$$eval('.md-search-result__item h1', (all) => all.map((one) => one.textContent));
}
await browser.close();
console.log(JSON.stringify({ pages: files.length, overflow, elsewhere, found }));
