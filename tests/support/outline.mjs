// Reads pages in a real browser: which elements with which attributes they have, and what stands in their code.
//
// Usage: node outline.mjs FOLDER PAGE…, where FOLDER is the one that `chromium.mjs` has unpacked.
import { pathToFileURL } from 'node:url';
import { launch } from '../oracles/npm/browser/chromium.mjs';

const [folder, ...pages] = process.argv.slice(2);
const browser = await launch(folder);
const tab = await browser.newPage();
const seen = [];
let problems = [];
tab.on('console', (message) => problems.push(message.text()));
tab.on('pageerror', (error) => problems.push(String(error)));
tab.on('dialog', (dialog) => {
  problems.push(`dialog ${dialog.message()}`);
  dialog.dismiss();
});
tab.on('request', (request) => {
  if (!request.url().startsWith('file:')) problems.push(`asks for ${request.url()}`);
});
for (const page of pages) {
  problems = [];
  await tab.goto(pathToFileURL(page).href);
  const found = await tab.evaluate(() => {
    // A sentence has as many pieces of code, and a block as many lines, as what it tells of.
    const counts = (element) => !element.matches('pre span, p code, li code');
    const all = [...document.querySelectorAll('*')];
    const attributes = (element) => [...element.attributes].map(({ name, value }) => `${name}=${value}`);
    const bare = all.filter((element) => !counts(element) && element.localName === 'code');
    return {
      title: document.title,
      elements: all.filter(counts).map((element) => [element.localName, ...attributes(element)].join(' ')),
      codes: [...document.querySelectorAll('code')].map((element) => element.textContent),
      odd: bare.flatMap(attributes),
    };
  });
  const { odd, ...rest } = found;
  seen.push({ ...rest, problems: [...problems, ...odd] });
}
await browser.close();
console.log(JSON.stringify(seen));
