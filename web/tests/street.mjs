// The person on the namespace street: opens a plain page in a real browser, lands on the portal,
// accepts the terms, and follows the portal's link to the page that was asked for.
// Usage: node street.mjs URL; prints one line of JSON.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const [url] = process.argv.slice(2)
const profile = await mkdtemp(join(tmpdir(), 'kulkul-street-'))
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable',
    `--disk-cache-dir=${join(profile, 'cache')}`
  ]
})
const result = {}
try {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'id-ID', javaScriptEnabled: false })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  await page.goto(url)
  result.portal = page.url()
  result.language = await page.getAttribute('html', 'lang')
  result.terms = await page.locator('li').count()
  await page.locator('form[action="/accept"] button').click()
  await page.waitForURL(/\/status/)
  result.online = page.url()
  await page.locator(`a[href="${url}"]`).first().click()
  await page.waitForURL(url)
  result.reached = (await page.textContent('body')).trim()
} catch (error) {
  result.error = String(error)
} finally {
  await browser.close()
  await rm(profile, { recursive: true, force: true })
}
console.log(JSON.stringify(result))
process.exit(result.error ? 1 : 0)
