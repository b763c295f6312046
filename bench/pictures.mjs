// pictures.mjs FOLDER BASE: takes the pictures of docs/images from the folder of `watcher demo` and its local site.
//
//     watcher demo --directory /tmp/demo
//     watcher web --config /tmp/demo/settings.toml --listen 127.0.0.1:8500 &
//     CHROMIUM=$(command -v chromium) EDITION_TOOLS=~/.cache/watcher-edition-tools node bench/pictures.mjs /tmp/demo http://127.0.0.1:8500
//
// `make edition-tools` installs Playwright. Take them with the fonts Noto Sans, Noto Serif and Noto CJK installed.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const need = createRequire(resolve(process.env.EDITION_TOOLS, 'x.js'));
const { chromium } = need('playwright-core');
const [folder, base] = process.argv.slice(2);
const images = resolve(dirname(fileURLToPath(import.meta.url)), '../docs/images');
const file = (suffix) => resolve(folder, readdirSync(folder).find((name) => name.endsWith(suffix)));
const phone = { width: 390, height: 900 };
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });

/** Takes a picture of a page, or of the page that the first link with these words leads to. */
async function take(name, url, { viewport = { width: 1280, height: 900 }, colorScheme = 'light', link, words } = {}) {
  const page = await browser.newPage({ viewport, colorScheme });
  await page.goto(url);
  if (link) await page.goto(base + await page.locator(link, { hasText: words }).first().getAttribute('href'));
  await page.screenshot({ path: `${images}/${name}.png` });
  await page.close();
}

/** Writes the page of a mail file, which is in quoted-printable, as an HTML file, and returns its name. */
function writeMailPage(mail) {
  const part = readFileSync(mail, 'latin1').split(/Content-Type: text\/html.*/)[1].replaceAll('\r', '');
  const body = part.slice(part.indexOf('\n\n'), part.indexOf('\n--=')).replace(/=\n/g, '');
  const bytes = body.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  const page = `${mail}.htm`; // not .html, as the page of the edition is the file with that ending
  writeFileSync(page, bytes, 'latin1');
  return page;
}

const bridge = 'Norway opens Hellesund bridge';
const claim = "12,000 walk across Norway's new Hellesund bridge before the cars";
const story = { link: 'h3 a', words: bridge };
await take('edition', pathToFileURL(file('.html')).href, { viewport: { width: 1280, height: 1240 } });
await take('mail', pathToFileURL(writeMailPage(file('.eml'))).href, { viewport: { width: 640, height: 900 } });
await take('today', `${base}/`);
await take('today-phone', `${base}/`, { viewport: phone });
await take('story', `${base}/`, story);
await take('story-phone', `${base}/`, { viewport: phone, ...story });
await take('archive', `${base}/archive`);
await take('sources', `${base}/sources`);
await take('source', `${base}/sources`, { link: 'td a', words: 'The Harbour Post' });
await take('source-phone', `${base}/sources`, {
  viewport: phone, colorScheme: 'dark', link: 'td a', words: 'Corriere della Valle',
});
await take('search', `${base}/search?q=bridge`);
await take('claim', `${base}/check?claim=${encodeURIComponent(claim)}&since=30d`);
await take('article', `${base}/search?q=bridge`, { link: 'a[href^="/article/"]', words: bridge });
await browser.close();
