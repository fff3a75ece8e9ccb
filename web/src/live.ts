// Keeps an open page true: live events for the map, the server's own HTML for all else.
//
// Without this file the page works and is as old as its load. It never holds a rule or a
// sentence of its own: words come from the page, parts come from the server.
import { type Point, type Sign, SIGNS, isSign, readPoints, setSign } from './points'
import type { MapIsland } from './map'

const STALE_MS = 180_000
const REFRESH_MS = 60_000
const SOON_MS = 3_000

interface SiteEvent {
  code: string
  sign: string
}

const note = document.getElementById('live-note')
const figure = document.querySelector<HTMLElement>('[data-island="map"]')
const svg = figure?.querySelector<SVGSVGElement>('svg.regency') ?? null
const points: Map<string, Point> = svg ? readPoints(svg) : new Map()
const ownCode = document.querySelector<HTMLElement>('[data-code]')?.dataset.code

let island: MapIsland | null = null
let freshAt = Date.now()
let refreshedAt = Date.now()
let pending: number | undefined
let source: EventSource | null = null
let retryMs = 5_000

/** The word for a sign, as the chips have it in the reader's language. */
function word(sign: Sign): string {
  return note?.dataset[`word${sign.replace(/_/g, '')}`] ?? sign
}

function showStale(): void {
  if (!note) return
  const stale = Date.now() - freshAt > STALE_MS
  if (stale && note.hidden) note.textContent = note.dataset.stale ?? ''
  note.hidden = !stale
}

/** Takes the parts marked data-live from a newer copy of this page. */
function adopt(html: Document, withMap: boolean): void {
  for (const part of document.querySelectorAll<HTMLElement>('[data-live]')) {
    if (part === note) continue
    const newer = html.querySelector<HTMLElement>(`[data-live="${part.dataset.live ?? ''}"]`)
    // A part in which the reader is at work is left alone until the next time.
    if (!newer || part.contains(document.activeElement) || part.innerHTML === newer.innerHTML) continue
    part.replaceChildren(...newer.childNodes)
  }
  markChips()
  const picture = withMap ? html.querySelector<SVGSVGElement>('svg.regency') : null
  if (picture) for (const newer of readPoints(picture).values()) change(newer.code, newer.sign)
}

function change(code: string, sign: Sign): void {
  const point = points.get(code)
  if (!point || point.sign === sign) return
  setSign(point, sign, word(sign))
  island?.update(point)
}

async function refresh(withMap: boolean): Promise<void> {
  clearTimeout(pending)
  pending = undefined
  refreshedAt = Date.now()
  const address = new URL(location.href)
  if (!withMap) address.searchParams.set('map', 'off')
  try {
    const answer = await fetch(address, { headers: { accept: 'text/html' } })
    if (!answer.ok) return
    const html = new DOMParser().parseFromString(await answer.text(), 'text/html')
    adopt(html, withMap)
    // How old the figures were when the server gave them, by the server's own clock.
    const measured = Date.parse(html.querySelector('[data-measured]')?.getAttribute('data-measured') ?? '')
    const given = Date.parse(answer.headers.get('date') ?? '')
    const age = Number.isNaN(measured) || Number.isNaN(given) ? 0 : Math.max(0, given - measured)
    freshAt = Math.max(freshAt, Date.now() - age)
    showStale()
  } catch {
    // No network: the notice says so when the figures are old enough to matter.
  }
}

function refreshSoon(): void {
  if (pending !== undefined) return
  const wait = Math.max(SOON_MS, refreshedAt + REFRESH_MS - Date.now())
  pending = window.setTimeout(() => void refresh(false), wait + Math.random() * 2_000)
}

/** Writes the counts of all sites into headline and chips; the lists follow with the next refresh. */
function showTally(tally: Partial<Record<Sign, number>>): void {
  const number = new Intl.NumberFormat(document.documentElement.lang)
  for (const sign of SIGNS) {
    const count = document.querySelector(`.chip[data-sign="${sign}"] b`)
    if (count) count.textContent = number.format(tally[sign] ?? 0)
  }
  const on = document.querySelector('.now b')
  if (on) on.textContent = number.format((tally.up ?? 0) + (tally.degraded ?? 0))
}

function onSite(event: MessageEvent<string>): void {
  freshAt = Date.now()
  const site = JSON.parse(event.data) as SiteEvent
  if (isSign(site.sign)) change(site.code, site.sign)
  if (!ownCode || ownCode === site.code) refreshSoon()
  if (ownCode === site.code) void refresh(false)
  showStale()
}

function connect(again: boolean): void {
  source?.close()
  source = new EventSource('/api/v1/events')
  source.addEventListener('open', () => {
    retryMs = 5_000
    freshAt = Math.max(freshAt, refreshedAt)
    // What happened in between was told to nobody: take the whole picture once.
    if (again) void refresh(true)
    again = true
  })
  source.addEventListener('site', onSite)
  source.addEventListener('tally', (event: MessageEvent<string>) => {
    freshAt = Date.now()
    if (!ownCode && location.pathname === '/') showTally(JSON.parse(event.data) as Partial<Record<Sign, number>>)
    if (!ownCode) refreshSoon()
    showStale()
  })
  source.addEventListener('error', () => {
    if (source?.readyState !== EventSource.CLOSED) return
    // The hub is full or away: ask again, ever less often; meanwhile the page is fetched.
    window.setTimeout(() => connect(true), retryMs)
    retryMs = Math.min(retryMs * 2, 120_000)
  })
}

function chosen(): Sign | null {
  const sign = new URL(location.href).searchParams.get('sign') ?? ''
  return isSign(sign) ? sign : null
}

/** Shows which chip is chosen, and only its points. */
function markChips(): void {
  const only = chosen()
  for (const chip of document.querySelectorAll<HTMLAnchorElement>('.chip[data-sign]')) {
    const current = chip.dataset.sign === only
    chip.toggleAttribute('aria-current', current)
    if (current) chip.setAttribute('aria-current', 'true')
    const address = new URL(location.href)
    if (current) address.searchParams.delete('sign')
    else address.searchParams.set('sign', chip.dataset.sign ?? '')
    chip.href = address.pathname + address.search
  }
  for (const sign of SIGNS) svg?.classList.toggle(`only-${sign}`, sign === only)
  island?.only(only)
}

function onChip(event: MouseEvent): void {
  const chip = (event.target as Element).closest<HTMLAnchorElement>('.chip[data-sign]')
  if (!chip || !svg || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
  event.preventDefault()
  history.replaceState(null, '', chip.href)
  markChips()
}

async function drawMap(): Promise<void> {
  const script = figure?.dataset.script
  if (!figure || !svg || !script || script.endsWith('/missing')) return
  const { enhance } = (await import(script)) as typeof import('./map')
  island = enhance(figure, svg, points, (point) => word(point.sign))
  island.only(chosen())
}

/** Loads the larger map when it comes near the screen, and not where data is dear. */
function watchMap(): void {
  const saving = (navigator as Navigator & { connection?: { saveData?: boolean } }).connection?.saveData
  if (!figure || saving) return
  const seen = new IntersectionObserver(
    (entries) => {
      if (!entries.some((e) => e.isIntersecting)) return
      seen.disconnect()
      void drawMap()
    },
    { rootMargin: '300px' }
  )
  seen.observe(figure)
}

document.addEventListener('click', onChip)
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') {
    source?.close()
    return
  }
  connect(true)
})
window.setInterval(() => {
  if (document.visibilityState === 'visible' && Date.now() - refreshedAt > REFRESH_MS * 1.5) void refresh(false)
  showStale()
}, 10_000)

watchMap()
connect(false)
