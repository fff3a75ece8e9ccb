// The map as something to move and zoom: Leaflet on a canvas over the ground that the server drew.
//
// The same signs as everywhere: their shapes are read from the page, their colours from its tokens.
import * as L from 'leaflet'
import type { Point, Sign } from './points'

/** What the page may ask of the map once it stands. */
export interface MapIsland {
  /** Draws a point anew after its sign changed. */
  update(point: Point): void
  /** Shows only the points with this sign at full strength. */
  only(sign: Sign | null): void
}

const WIDTH = 1000

interface Painter {
  _ctx: CanvasRenderingContext2D
  _drawing: boolean
}

interface Marked {
  _point: L.Point
  _renderer: Painter
  _empty(): boolean
  options: L.CircleMarkerOptions & { point: Point; style: Style }
}

/** Shapes and colours of the signs, as the page has them now. */
class Style {
  only: Sign | null = null
  #shapes = new Map<string, Path2D>()
  #tokens = getComputedStyle(document.documentElement)

  token(name: string): string {
    return this.#tokens.getPropertyValue(`--${name}`).trim()
  }

  shape(sign: Sign): Path2D {
    let shape = this.#shapes.get(sign)
    if (!shape) {
      const element = document.getElementById(`s-${sign}`)
      const path = element?.getAttribute('d')
      shape = path ? new Path2D(path) : new Path2D()
      if (!path) shape.arc(0, 0, Number(element?.getAttribute('r') ?? 8), 0, Math.PI * 2)
      this.#shapes.set(sign, shape)
    }
    return shape
  }
}

/** A point that draws its sign; its size follows the zoom gently. */
const SignMarker = L.CircleMarker.extend({
  _updatePath(this: Marked) {
    const { _renderer: { _ctx: ctx, _drawing }, _point: at } = this
    if (!_drawing || this._empty()) return
    const { point, style } = this.options
    const open = point.sign === 'unknown' || point.sign === 'not_in_service'
    ctx.save()
    ctx.translate(at.x, at.y)
    const size = ((this.options.radius ?? 6) / 12) * (point.known ? 1.35 : 1)
    ctx.scale(size, size)
    if (style.only && style.only !== point.sign) ctx.globalAlpha = 0.1
    else if (!point.known && !open) ctx.globalAlpha = 0.85
    ctx.fillStyle = style.token(open ? 'land' : point.sign)
    ctx.strokeStyle = point.known ? style.token('ink') : open ? style.token(point.sign) : style.token('land')
    ctx.lineWidth = point.known ? 3 : point.sign === 'unknown' ? 4 : open ? 2.5 : 1.5
    const shape = style.shape(point.sign)
    ctx.fill(shape)
    if (point.known || open || point.sign === 'down' || point.sign === 'degraded') ctx.stroke(shape)
    ctx.restore()
  }
}) as unknown as new (at: L.LatLng, options: L.CircleMarkerOptions & { point: Point; style: Style }) => L.CircleMarker

/** From the picture's units to degrees, by the corners that the server wrote on it. */
function placer(bounds: L.LatLngBounds, height: number): (x: number, y: number) => L.LatLng {
  const projection = L.Projection.SphericalMercator
  const nw = projection.project(bounds.getNorthWest())
  const se = projection.project(bounds.getSouthEast())
  return (x, y) =>
    projection.unproject(L.point(nw.x + (x / WIDTH) * (se.x - nw.x), nw.y + (y / height) * (se.y - nw.y)))
}

/** Puts the moving map in the picture's place. */
export function enhance(
  figure: HTMLElement,
  svg: SVGSVGElement,
  points: Map<string, Point>,
  word: (point: Point) => string
): MapIsland {
  const [south, west, north, east] = (svg.dataset.bounds ?? '').split(' ').map(Number) as [number, number, number, number]
  const bounds = L.latLngBounds([south, west], [north, east])
  const height = svg.viewBox.baseVal.height
  const box = svg.getBoundingClientRect()
  const canvas = document.createElement('div')
  canvas.className = 'canvas'
  canvas.setAttribute('role', 'application')
  canvas.setAttribute('aria-label', figure.dataset.label ?? '')
  canvas.style.height = `${box.height}px`
  svg.replaceWith(canvas)

  const map = L.map(canvas, {
    zoomSnap: 0,
    zoomDelta: 0.75,
    zoomControl: false,
    attributionControl: false,
    // A finger need not hit a sign exactly.
    renderer: L.canvas({ padding: 0.3, tolerance: 8 }),
    scrollWheelZoom: false,
    dragging: false,
    maxBoundsViscosity: 0.9
  })
  map.fitBounds(bounds, { animate: false, padding: [0, 0] })
  const least = map.getZoom()
  map.setMinZoom(least)
  map.setMaxZoom(least + 6)
  map.setMaxBounds(map.getBounds())
  L.control.zoom({ zoomInTitle: figure.dataset.zoomIn, zoomOutTitle: figure.dataset.zoomOut }).addTo(map)
  const tiles = figure.dataset.tiles
  if (tiles) L.tileLayer(tiles, { maxZoom: 19 }).addTo(map)

  const ground = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  ground.setAttribute('viewBox', svg.getAttribute('viewBox') ?? '')
  ground.setAttribute('class', `ground-only${svg.classList.contains('near') ? ' near' : ''}${tiles ? ' over-tiles' : ''}`)
  const drawn = svg.querySelector('.ground')
  if (drawn) ground.append(drawn.cloneNode(true))
  L.svgOverlay(ground, bounds, { interactive: true }).addTo(map)

  const style = new Style()
  const place = placer(bounds, height)
  // At the whole picture a sign is as large as the server drew it; closer, a little larger.
  const radius = (): number => Math.min(12, Math.max(3.6, (12 * box.width) / WIDTH) + (map.getZoom() - least) * 1.5)
  const markers = new Map<string, L.CircleMarker>()
  const closed = new Set<Sign>(['not_in_service', 'closed', 'up'])
  // Trouble is drawn last, so that it lies on top.
  const ordered = [...points.values()].sort((a, b) => Number(closed.has(b.sign)) - Number(closed.has(a.sign)))
  for (const point of ordered) {
    const marker = new SignMarker(place(point.x, point.y), { radius: radius(), point, style })
    marker.bindPopup(() => popup(point, word(point), figure.dataset.open ?? ''))
    marker.bindTooltip(() => `${point.name}: ${word(point)}`, { direction: 'top' })
    marker.addTo(map)
    markers.set(point.code, marker)
  }

  const redraw = (): void => {
    for (const marker of markers.values()) marker.redraw()
  }
  map.on('zoomend', () => {
    const zoomed = map.getZoom() - least
    // At the whole picture there is nowhere to drag to: the finger scrolls the page.
    if (zoomed > 0.05) map.dragging.enable()
    else map.dragging.disable()
    canvas.classList.toggle('zoomed', zoomed > 0.05)
    ground.style.setProperty('--k', String(2 ** zoomed))
    for (const marker of markers.values()) marker.setRadius(radius())
  })
  map.on('click focus', () => map.scrollWheelZoom.enable())
  map.on('blur mouseout', () => map.scrollWheelZoom.disable())
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
  new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(canvas)

  return {
    update(point) {
      const marker = markers.get(point.code)
      marker?.redraw()
      if (!closed.has(point.sign)) marker?.bringToFront()
    },
    only(sign) {
      style.only = sign
      redraw()
    }
  }
}

function popup(point: Point, word: string, open: string): HTMLElement {
  const box = document.createElement('div')
  box.className = 'pop'
  const name = document.createElement('p')
  name.append(Object.assign(document.createElement('b'), { textContent: point.name }))
  const state = document.createElement('p')
  state.append(icon(point.sign), ` ${word} · ${point.code}`)
  const link = document.createElement('p')
  link.append(Object.assign(document.createElement('a'), { href: `/sites/${point.code}`, textContent: open }))
  box.append(name, state, link)
  return box
}

function icon(sign: Sign): SVGSVGElement {
  const space = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(space, 'svg')
  svg.setAttribute('class', `ico ${sign}`)
  svg.setAttribute('viewBox', '-12 -12 24 24')
  svg.setAttribute('aria-hidden', 'true')
  const use = document.createElementNS(space, 'use')
  use.setAttribute('href', `#s-${sign}`)
  svg.append(use)
  return svg
}
