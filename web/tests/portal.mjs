// The portal's pages in a real browser: each at a phone's and a desk's width, in both schemes, with axe.
// Usage: node portal.mjs FOLDER NAME=URL...; writes NAME-WIDTH-SCHEME.png and prints one line of JSON.
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { listen, sideways, squeezed, violations } from './axe.mjs'

const [folder, ...pages] = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']
})
const result = { faults: [], bytes: {}, reported: null }
try {
  for (const [width, scheme] of [[360, 'light'], [360, 'dark'], [1280, 'light']]) {
    // The policy of the pages forbids scripts; axe needs one.
    const context = await browser.newContext({ viewport: { width, height: 780 }, colorScheme: scheme, bypassCSP: true })
    for (const named of pages) {
      const [name, url] = [named.slice(0, named.indexOf('=')), named.slice(named.indexOf('=') + 1)]
      const page = await context.newPage()
      page.setDefaultTimeout(15_000)
      const complaints = listen(page, /favicon|\/t\/SD/)
      let bytes = 0
      page.on('response', async (r) => { bytes += (await r.body().catch(() => '')).length })
      await page.goto(url)
      const found = [...await violations(page), ...await sideways(page), ...await squeezed(page), ...complaints]
      const small = await page.evaluate(() => [...document.querySelectorAll('a, button, textarea, fieldset label')]
        .filter((e) => { const b = e.getBoundingClientRect(); return b.height < 44 || b.width < 44 })
        .map((e) => `small: ${e.textContent.trim().slice(0, 30)}`))
      result.faults.push(...[...found, ...small].map((f) => `${name} ${width} ${scheme}: ${f}`))
      result.bytes[name] = bytes
      await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: true })
      await page.close()
    }
    await context.close()
  }
  // A person without JavaScript sends a report with the keyboard.
  const form = pages.find((p) => p.startsWith('report='))
  const context = await browser.newContext({ viewport: { width: 360, height: 780 }, javaScriptEnabled: false })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  await page.goto(form.slice('report='.length))
  await page.locator('button').click()
  result.required = page.url()
  await page.locator('input[value="slow"]').focus()
  await page.keyboard.press('Space')
  await page.locator('textarea').fill('Lambat <b>sejak</b> pagi\nTolong')
  await page.locator('button').press('Enter')
  await page.waitForURL(/\/report\/\d+/)
  result.reported = await page.textContent('main')
} catch (error) {
  result.error = String(error)
} finally {
  await browser.close()
}
console.log(JSON.stringify(result))
process.exit(result.error ? 1 : 0)
