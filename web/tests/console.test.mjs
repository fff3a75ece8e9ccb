// The console behind its sign-in, and live pages, against a real hub: the demo with a few simulated gateways.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { listen, sideways, violations } from './axe.mjs'
import { closeBrowser, desktop, phone, withBrowser } from './browser.mjs'

const kulkul = process.env.KULKUL
const why = kulkul ? false : 'KULKUL does not name the program'
const data = mkdtempSync(join(tmpdir(), 'kulkul-console-'))
const config = join(data, 'hub.toml')
const password = 'seven quiet rice fields'
let demo, url, session, once

/** A port that was free a moment ago. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address()
  await new Promise((done) => server.close(done))
  return port
}

// What the tests are told by their environment is no key of the hub's settings.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KULKUL_')))

const run = (...args) => execFileSync(kulkul, [...args, '--config', config], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'inherit'] })

before(async () => {
  if (why) return
  const [web, link] = [await freePort(), await freePort()]
  url = `http://127.0.0.1:${web}`
  writeFileSync(config, `listen = "127.0.0.1:${web}"\npublic_url = "${url}"\ndata = "${data}"\ndatabase = "sqlite"\n`)
  demo = spawn(kulkul, ['demo', '--listen', `127.0.0.1:${web}`, '--link', `127.0.0.1:${link}`, '--gateways', '40', '--days', '1', '--data', data],
    { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  await new Promise((done, fail) => {
    demo.once('exit', (code) => fail(new Error(`the demo ended with ${code}: ${said}`)))
    demo.stdout.on('data', (text) => { if ((said += text).includes('Ctrl-C stops')) done() })
  })
  demo.removeAllListeners('exit')
  once = run('staff', 'add', 'ayu', '--role', 'admin').match(/the password (\S+) and/)[1]
}, { timeout: 120_000 })

after(async () => {
  await closeBrowser()
  if (demo) {
    const ended = new Promise((done) => demo.once('exit', done))
    demo.kill('SIGINT')
    await ended
  }
  rmSync(data, { recursive: true, force: true })
})

/** Runs a test with pages of the demo; those of `open` are signed in once somebody signed in. */
function page(name, use) {
  test(name, { skip: why, timeout: 240_000 }, () => withBrowser((open) =>
    use((options = {}) => open({ baseURL: url, locale: 'en-GB', storageState: session, ...options }))))
}

async function signIn(page, word) {
  await page.goto('/console/sign-in')
  await page.fill('#name', 'ayu')
  await page.fill('#password', word)
  await page.click('form[action="/console/sign-in"] button')
}

page('a stranger is asked to sign in, a wrong password is refused, a one-time password is replaced', async (open) => {
  const p = await open()
  await p.goto('/console/sites/BJ-001')
  assert.match(p.url(), /\/console\/sign-in/)
  await signIn(p, 'not this one')
  assert.match(await p.textContent('[role=alert]'), /wrong/)
  assert.equal(await p.inputValue('#name'), 'ayu', 'what was typed stays')
  assert.equal(await p.inputValue('#password'), '')
  await signIn(p, once)
  await p.waitForURL(/\/console\/password/)
  await p.fill('#old', once)
  await p.fill('#new', password)
  await p.fill('#again', 'something else')
  await p.click('form[action="/console/password"] button')
  assert.match(await p.textContent('[role=alert]'), /differ/)
  await p.fill('#old', once)
  await p.fill('#new', password)
  await p.fill('#again', password)
  await p.click('form[action="/console/password"] button')
  await p.goto('/console')
  assert.equal(await p.locator('.console-nav').count(), 1)
  session = await p.context().storageState()
})

page('a report of somebody at a place is read, marked as seen, and the audit tells', async (open) => {
  // The demo's history has reports; they come with the journals of its first minutes.
  const p = await open({ javaScriptEnabled: false })
  const rows = p.locator('tbody tr')
  for (let i = 0; i < 60; i++) {
    await p.goto('/console/reports?status=new&lang=en')
    if (await rows.count()) break
    await new Promise((done) => setTimeout(done, 500))
  }
  const before = await rows.count()
  assert.ok(before > 0, 'nobody has reported anything')
  const site = (await rows.first().locator('small').first().textContent()).split(' ')[0]
  assert.match(site, /^[A-Z]+-\d+$/)
  await rows.first().locator('button', { hasText: 'Mark as seen' }).click()
  assert.match(p.url(), /status=new/, 'the filter stays')
  await p.goto(`/console/reports?site=${site}&status=seen&lang=en`)
  assert.equal(await rows.count(), 1)
  assert.match(await rows.first().textContent(), /Seen\s*staff:ayu/)
  await p.goto('/console/audit?lang=en')
  assert.match(await p.locator('.audit li').first().textContent(), new RegExp(`ayu.*marked a report at ${site}.*New → Seen`, 's'))
})

page('a signed program is taken and rolled out by the command line, and stopped in the console', async (open) => {
  const [key, program] = [join(data, 'update.key'), join(data, 'program')]
  writeFileSync(program, 'no program, and for no machine that there is')
  const update = (...args) => execFileSync(kulkul, ['update', ...args], { env, stdio: 'pipe' })
  update('keygen', key)
  update('sign', program, '--key', key, '--version', '0.2.0', '--target', 'simulated')
  assert.match(run('update', 'take', program), /0\.2\.0 +simulated +44/)
  assert.match(run('update', 'roll-out', '0.2.0', '--stage', 'site:BJ-001', '--stage', 'regency'), /^1 +0\.2\.0/m)
  const p = await open({ javaScriptEnabled: false })
  await p.goto('/console/updates?lang=en')
  assert.match(await p.textContent('#held'), /Rollout 1: version 0\.2\.0/)
  await p.click('summary:has-text("Stop for good")')
  await p.click('form[action="/console/updates/1/stop"] button')
  await p.goto('/console/updates?lang=en')
  assert.match(await p.textContent('.notice'), /Stopped · ayu/)
  await p.fill('#stages', 'area:51.03.03\nkuta')
  await p.click('form[action="/console/updates"] button')
  assert.match(await p.textContent('#stages-fault'), /"kuta" says no place/)
  assert.equal(await p.inputValue('#stages'), 'area:51.03.03\nkuta', 'what was typed stays')
})

page('no page of the console is hard to use', async (open) => {
  const routes = ['/console', '/console/sites', '/console/sites?q=banjar&stage=in_service', '/console/sites?q=zzzz',
    '/console/sites/BJ-001', '/console/sites/BJ-001/access-points', '/console/gateways', '/console/gateways?q=banjar&all=1', '/console/gateways?q=zzzz', '/console/staff', '/console/tokens', '/console/updates', '/console/orders', '/console/orders?scope=category:banjar', '/console/tunnel', '/console/audit', '/console/password', '/console/reports', '/console/sessions', '/console/sessions?all=1', '/console/sessions?site=BJ-002', '/console/vouchers', '/console/vouchers/findings', '/console/vouchers/findings?all=1', '/console/accounts', '/console/accounts?q=zzzz', '/console/reports?site=BJ-002&status=done',
    '/console/sites/BJ-99999', '/console/nothing']
  for (const [viewport, lang, javaScriptEnabled] of [[phone, 'id', true], [desktop, 'en', true], [phone, 'en', false]]) {
    const p = await open({ viewport, javaScriptEnabled, reducedMotion: 'reduce' })
    const complaints = listen(p, /99999|nothing/)
    for (const route of routes) {
      const where = `${route} ${viewport.width} ${lang}`
      const answer = await p.goto(route + (route.includes('?') ? '&' : '?') + `lang=${lang}`)
      assert.equal(answer.status(), /99999|nothing/.test(route) ? 404 : 200, where)
      assert.equal(await p.getAttribute('html', 'lang'), lang, where)
      assert.equal(await p.locator('h1').count(), 1, where)
      if (javaScriptEnabled) {
        for (const colorScheme of ['light', 'dark']) {
          await p.emulateMedia({ colorScheme })
          assert.deepEqual(await violations(p), [], `${where} ${colorScheme}`)
        }
        assert.deepEqual(await sideways(p), [], `${where} scrolls sideways`)
      }
      if (process.env.SHOTS) await p.screenshot({ path: join(process.env.SHOTS, `${lang}${viewport.width}${route.replace(/\W+/g, '_')}.png`), fullPage: true })
    }
    assert.deepEqual(complaints, [])
  }
})

page('a place is found, changed with a fault at its field, mended and saved, without JavaScript', async (open) => {
  const p = await open({ javaScriptEnabled: false })
  await p.goto('/console/sites')
  await p.fill('#q', 'BJ-001')
  await p.click('.filter button')
  await p.click('a[href="/console/sites/BJ-001"]')
  const lat = await p.inputValue('#lat')
  await p.fill('#name', 'Bale Banjar Pemaron')
  await p.fill('#lat', 'north')
  await p.click('form[action="/console/sites/BJ-001"] button')
  assert.match(await p.textContent('[role=alert]'), /Not saved/)
  assert.equal(await p.getAttribute('#lat', 'aria-invalid'), 'true')
  assert.match(await p.textContent('#lat-fault'), /"north" is not a number/)
  assert.equal(await p.inputValue('#lat'), 'north', 'what was typed stays')
  assert.equal(await p.inputValue('#name'), 'Bale Banjar Pemaron')
  await p.fill('#lat', '-6.2')
  await p.click('form[action="/console/sites/BJ-001"] button')
  assert.match(await p.textContent('#lat-fault'), /outside the region/)
  await p.fill('#lat', lat.replace('.', ','))
  await p.click('form[action="/console/sites/BJ-001"] button')
  await p.waitForURL(/saved=1/)
  assert.equal(await p.inputValue('#name'), 'Bale Banjar Pemaron')
  await p.goto('/console/audit')
  assert.match(await p.textContent('main'), /Pemaron/)
})

page('an access point is refused at a bad address, registered, and taken off again, without JavaScript', async (open) => {
  const p = await open({ javaScriptEnabled: false })
  await p.goto('/console/sites/BJ-004')
  await p.click('a[href="/console/sites/BJ-004/access-points"]')
  const form = 'form[action="/console/sites/BJ-004/access-points"]'
  await p.fill('#mac', '01:00:5e:00:00:01')
  await p.fill('#name', 'Aula')
  await p.click(`${form} button`)
  assert.match(await p.textContent('[role=alert]'), /no hardware address/)
  assert.equal(await p.inputValue('#name'), 'Aula', 'what was typed stays')
  await p.fill('#mac', '02:00:00:00:00:a4')
  await p.fill('#address', '10.77.0.44')
  await p.click(`${form} button`)
  await p.waitForURL(/saved=1/)
  const row = p.locator('tbody tr')
  assert.match(await row.textContent(), /Aula.*02:00:00:00:00:a4.*10\.77\.0\.44/s)
  await row.locator('summary').click()
  await row.locator('button').click()
  assert.equal(await row.count(), 0)
  await p.goto('/console/audit?lang=en')
  assert.match(await p.locator('.audit li').first().textContent(), /access point/)
})

page('vouchers are made on a sheet, taken back one by one, and an account gets a secret that is shown once', async (open) => {
  const p = await open({ reducedMotion: 'reduce' })
  await p.goto('/console/vouchers?lang=en')
  const form = 'form[action="/console/vouchers"]'
  await p.fill('#label', 'Galungan')
  await p.fill('#site', 'BJ-99999')
  await p.fill('#count', '3')
  await p.click(`${form} button`)
  assert.match(await p.textContent('[role=alert]'), /BJ-99999/)
  assert.equal(await p.inputValue('#label'), 'Galungan', 'what was typed stays')
  await p.fill('#site', 'BJ-001')
  await p.click(`${form} button`)
  const codes = await p.locator('.sheet .code').allTextContents()
  assert.equal(codes.length, 3)
  for (const code of codes) assert.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{5}$/)
  for (const colorScheme of ['light', 'dark']) {
    await p.emulateMedia({ colorScheme })
    assert.deepEqual(await violations(p), [], `sheet ${colorScheme}`)
  }
  await p.emulateMedia({ media: 'print' })
  assert.equal(await p.locator('.console-nav').isVisible(), false, 'paper has the sheet alone')
  assert.equal(await p.locator('.sheet .code').first().isVisible(), true)
  await p.emulateMedia({ media: 'screen' })
  await p.click('a[href^="/console/vouchers/batches/"]')
  const row = p.locator('tbody tr').nth(1)
  await row.locator('summary').click()
  assert.deepEqual(await violations(p), [], 'batch')
  await row.locator('button').click()
  assert.match(await p.locator('tbody tr').nth(1).textContent(), /Taken back/)
  assert.equal((await p.content()).includes(codes[0]), false, 'a code is shown once')
  await p.goto('/console/accounts?lang=en')
  await p.fill('#name', 'wayan.sudana')
  await p.locator('form[method=post][action="/console/accounts"] button').click()
  assert.match(await p.textContent('.secret'), /\S{8,}/)
  assert.deepEqual(await violations(p), [], 'account')
  await p.goto('/console/accounts?lang=en&q=wayan')
  assert.equal(await p.locator('.secret').count(), 0)
  assert.match(await p.textContent('tbody'), /wayan\.sudana/)
})

page('a box is asked from afar and answers', async (open) => {
  const p = await open({ reducedMotion: 'reduce' })
  await p.goto('/console/gateways?lang=en')
  await p.locator('a[href$="/diagnostics"]').first().click()
  assert.deepEqual(await violations(p), [], 'empty')
  const form = p.locator('form[action$="/diagnostics"]')
  await form.locator('select[name=kind]').selectOption('ping')
  await form.locator('button').click()
  assert.match(await p.textContent('[role=alert]'), /\S/)
  assert.deepEqual(await violations(p), [], 'refused')
  await form.locator('select[name=kind]').selectOption('doctor')
  await form.locator('button').click()
  await p.waitForLoadState()
  const answered = p.locator('main', { hasText: 'simulated gateway' })
  for (let i = 0; i < 180 && !(await answered.count()); i++) {
    await new Promise((done) => setTimeout(done, 500))
    await p.reload()
  }
  assert.equal(await answered.count(), 1)
  assert.deepEqual(await violations(p), [], 'answered')
  assert.deepEqual(await sideways(p), [])
})

page('two who change one place are shown both versions', async (open) => {
  const [a, b] = [await open(), await open()]
  for (const p of [a, b]) await p.goto('/console/sites/BJ-002')
  await a.fill('#address', 'Jalan A')
  await a.click('form[action="/console/sites/BJ-002"] button')
  await a.waitForURL(/saved=1/)
  await b.fill('#address', 'Jalan B')
  await b.click('form[action="/console/sites/BJ-002"] button')
  const shown = await b.textContent('main')
  assert.ok(shown.includes('Jalan A') && shown.includes('Jalan B'), shown)
  assert.deepEqual(await violations(b), [])
})

page('a claim is shown once and can be taken back', async (open) => {
  const p = await open()
  await p.goto('/console/sites/BJ-003')
  await p.click('form[action="/console/sites/BJ-003/claim"] button')
  const code = await p.textContent('code.secret')
  assert.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}$/)
  assert.deepEqual(await violations(p), [])
  await p.goto('/console/sites/BJ-003')
  assert.ok(!(await p.content()).includes(code), 'the code is shown once')
  await p.click('summary:has-text("…")')
  await p.click('form[action*="/withdraw"] button')
  await p.waitForURL(/BJ-003$/)
  assert.equal(await p.locator('form[action*="/withdraw"]').count(), 0)
})

page('gateways are found by their place, the replaced ones only when asked for', async (open) => {
  const p = await open({ javaScriptEnabled: false })
  await p.goto('/console/gateways')
  await p.fill('#q', 'BJ-001')
  await p.click('.filter button')
  const rows = () => p.locator('.cards tbody tr').count()
  assert.equal(await rows(), 1)
  const limit = Date.now() + 60_000
  do {
    // The earlier box of the place comes with its history.
    await p.goto('/console/gateways?q=BJ-001')
    await p.check('#all')
    await p.click('.filter button')
  } while (await rows() < 2 && Date.now() < limit)
  assert.equal(await rows(), 2)
  assert.equal(await p.locator('form[action*="/revoke"]').count(), 1, 'one is revoked already')
})

page('an order is given for a category, refused at a bad value, changed and removed, without JavaScript', async (open) => {
  const p = await open({ javaScriptEnabled: false })
  await p.goto('/console/orders?lang=en')
  await p.selectOption('#scope', 'category:banjar')
  await p.click('form[method="get"][action="/console/orders#form"] button')
  assert.match(await p.textContent('#form h2'), /banjar/)
  await p.fill('#down', '4,5')
  await p.fill('#day_mb', 'much')
  await p.check('input[name=keep]')
  await p.fill('#mon', '08:00-22:00')
  await p.click('form[method="post"][action="/console/orders"] button')
  assert.match(await p.textContent('[role=alert]'), /"much" is not a number/)
  assert.equal(await p.inputValue('#down'), '4,5', 'what was typed stays')
  await p.fill('#day_mb', '500')
  await p.fill('#mon', '8-22')
  await p.click('form[method="post"][action="/console/orders"] button')
  assert.match(await p.textContent('[role=alert]'), /mon: "8-22" is not hours/)
  await p.fill('#mon', '08:00-22:00')
  await p.click('form[method="post"][action="/console/orders"] button')
  assert.match(await p.textContent('[role=status]'), /Saved/)
  const rows = () => p.locator('tbody tr').allTextContents()
  assert.match((await rows()).join(), /Monday 08:00-22:00/)
  assert.match((await rows()).join(), /4.5 Mbit\/s to one device/)
  if (process.env.SHOTS) await p.screenshot({ path: join(process.env.SHOTS, 'orders.png'), fullPage: true })
  assert.equal(await p.inputValue('#day_mb'), '500')
  for (let left = (await rows()).length; left > 0; left--) {
    await p.locator('tbody details summary').first().click()
    await p.locator('tbody details button').first().click()
    assert.match(await p.textContent('[role=status]'), /Saved/)
  }
  assert.match(await p.textContent('main'), /Nothing was ordered yet/)
})

page('a token is made, shown once, works, and is taken back', async (open) => {
  const p = await open()
  await p.goto('/console/tokens')
  await p.fill('input[name=name]', 'a test')
  await p.click('form[action="/console/tokens"] button')
  const token = (await p.textContent('code.secret')).trim()
  const asked = () => fetch(`${url}/api/v1/gateways?limit=1`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal((await asked()).status, 200)
  await p.goto('/console/tokens')
  assert.ok(!(await p.content()).includes(token))
  await p.click('summary:near(:text("a test"))')
  await p.click('form[action*="/revoke"] button')
  await p.waitForLoadState()
  assert.equal((await asked()).status, 401)
})

page('a box that enrols turns its place green on open pages, told by the real stream', async (open) => {
  const all = await (await fetch(`${url}/api/v1/sites?state=unknown&limit=1000`)).json()
  const site = all.items.find((s) => s.stage === 'planned').code
  const [map, place] = [await open(), await open()]
  const complaints = listen(map, /^$/)
  await map.goto('/')
  await place.goto(`/sites/${site}`)
  await map.waitForSelector('.canvas canvas')
  const count = async () => Number(await map.textContent('.chip[data-sign="up"] b'))
  const before = await count()
  const word = await place.textContent('.badge')
  // Neither page is loaded again from here on.
  for (const p of [map, place]) await p.evaluate(() => { globalThis.untouched = true })
  const claim = run('enrol', site).split('\n')[0]
  const claims = join(data, 'claims.csv')
  writeFileSync(claims, `site,claim\n${site},${claim}\n`)
  const box = spawn(kulkul, ['fleet', '--hub', url, '--gateways', '1000', '--claims', claims], { env, stdio: 'ignore' })
  try {
    await map.waitForFunction((old) => Number(document.querySelector('.chip[data-sign="up"] b').textContent) > old, before, { timeout: 120_000 })
    await place.waitForFunction((old) => document.querySelector('.badge').textContent !== old, word, { timeout: 120_000 })
    assert.match(await place.textContent('.badge'), /Working/)
    for (const p of [map, place]) assert.equal(await p.evaluate(() => globalThis.untouched), true, 'no page was loaded again')
    assert.deepEqual(complaints, [])
  } finally {
    box.kill('SIGINT')
    await new Promise((done) => box.exitCode === null ? box.once('exit', done) : done())
  }
})

page('whoever signs out is out, and too many wrong passwords make the next one wait', async (open) => {
  const p = await open()
  await p.goto('/console')
  await p.click('form[action="/console/sign-out"] button')
  await p.goto('/console/audit')
  assert.match(p.url(), /\/console\/sign-in/)
  for (let i = 0; i < 6; i++) await signIn(p, `wrong ${i}`)
  assert.match(await p.textContent('[role=alert]'), /Too many attempts/)
  await signIn(p, password)
  assert.match(await p.textContent('[role=alert]'), /Too many attempts/, 'the right one has to wait as well')
  assert.deepEqual(await violations(p), [])
})
