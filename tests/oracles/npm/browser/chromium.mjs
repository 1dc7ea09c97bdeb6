// Unpacks Chromium, with the libraries and fonts that a bare machine lacks, and starts it.
//
// Usage: node chromium.mjs FOLDER PLACE, where FOLDER has `node_modules` with the packages of `package.json`; it
// unpacks and tells the version. PLACE is where the folder is moved to, which fonts are named by.
import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// The package decides by this whether it brings the libraries, and unpacks to the temporary folder.
process.env.AWS_LAMBDA_JS_RUNTIME ??= 'nodejs20.x';

const load = async (folder, name) => {
  const require = createRequire(pathToFileURL(`${folder}/`));
  return (await import(pathToFileURL(require.resolve(name)))).default;
};

/** Starts the browser that is unpacked in the folder. */
export async function launch(folder) {
  const chromium = await load(folder, '@sparticuz/chromium');
  const puppeteer = await load(folder, 'puppeteer-core');
  const unpacked = join(folder, 'unpacked');
  return puppeteer.launch({
    args: [...chromium.args, '--no-sandbox'],
    executablePath: join(unpacked, 'chromium'),
    headless: 'shell',
    env: {
      ...process.env,
      FONTCONFIG_FILE: join(unpacked, 'own-fonts.conf'),
      LD_LIBRARY_PATH: join(unpacked, 'al2023/lib'),
    },
  });
}

async function unpack(folder, place) {
  const unpacked = join(folder, 'unpacked');
  mkdirSync(unpacked, { recursive: true });
  const temporary = process.env.TMPDIR;
  process.env.TMPDIR = unpacked;
  await (await load(folder, '@sparticuz/chromium')).executablePath();
  if (temporary === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = temporary;
  const fonts = [join(place, 'unpacked/fonts'), join(place, 'node_modules/dejavu-fonts-ttf/ttf')];
  const names = [['monospace', 'DejaVu Sans Mono'], ['sans-serif', 'DejaVu Sans'], ['system-ui', 'DejaVu Sans']];
  writeFileSync(join(unpacked, 'own-fonts.conf'), `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
${fonts.map((font) => `  <dir>${font}</dir>`).join('\n')}
  <cachedir>${join(place, 'unpacked/fonts-cache')}</cachedir>
${names.map(([alias, name]) => `  <alias><family>${alias}</family><prefer><family>${name}</family></prefer></alias>`).join('\n')}
</fontconfig>
`);
  const browser = await launch(folder);
  console.log(await browser.version());
  await browser.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await unpack(...process.argv.slice(2));
