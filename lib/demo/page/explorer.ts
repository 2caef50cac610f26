/**
 * The page's own program: draws what the patch under the pointer attends to, as exhibits/shared/draw.ts
 * draws the pictures. The matrices stand in the page as grey pictures, one line a query; a pixel is the root of
 * the weight over the largest weight that another patch gets.
 */
export const explorerScript = `
(() => {
  const { photo, start, maps, ramp } = JSON.parse(document.getElementById('explore').textContent)
  const canvas = document.querySelector('.stage canvas')
  const still = document.querySelector('.stage img')
  const told = document.querySelector('.told')
  const buttons = [...document.querySelectorAll('.choices button')]
  const context = canvas.getContext('2d')
  const sheet = document.createElement('canvas')
  const paper = sheet.getContext('2d', { willReadFrequently: true })
  const { width, height } = photo
  const matrices = new Map()
  let chosen = 0
  let at = start
  let ground

  const load = source => new Promise((done, failed) => {
    const image = new Image()
    image.onload = () => done(image)
    image.onerror = failed
    image.src = source
  })
  const pixels = image => {
    const own = document.createElement('canvas')
    own.width = image.naturalWidth
    own.height = image.naturalHeight
    const context = own.getContext('2d', { willReadFrequently: true })
    context.drawImage(image, 0, 0)
    return context.getImageData(0, 0, own.width, own.height).data
  }
  const matrix = index => {
    if (!matrices.has(index)) matrices.set(index, load(maps[index].weights).then(pixels))
    return matrices.get(index)
  }
  const between = (position, patch, count) => {
    const place = Math.min(count - 1, Math.max(0, (position + 0.5) / patch - 0.5))
    const first = Math.floor(place)
    return [first, Math.min(count - 1, first + 1), place - first]
  }

  const paint = (levels, { rows, columns, patch }) => {
    const picture = paper.createImageData(width, height)
    const across = Array.from({ length: width }, (_, x) => between(x, patch, columns))
    for (let y = 0, to = 0; y < height; y++) {
      const [up, down, fy] = between(y, patch, rows)
      for (let x = 0; x < width; x++, to += 4) {
        const [left, right, fx] = across[x]
        const upper = levels[up * columns + left] * (1 - fx) + levels[up * columns + right] * fx
        const lower = levels[down * columns + left] * (1 - fx) + levels[down * columns + right] * fx
        const level = upper * (1 - fy) + lower * fy
        const place = level * (ramp.length - 1)
        const from = Math.min(ramp.length - 2, Math.floor(place))
        const cover = Math.min(1, level * 1.6) * 0.82
        const grey = 0.299 * ground[to] + 0.587 * ground[to + 1] + 0.114 * ground[to + 2]
        const shade = (0.5 + 0.66 * grey / 255) * cover
        for (let c = 0; c < 3; c++) {
          const glow = ramp[from][c] + (ramp[from + 1][c] - ramp[from][c]) * (place - from)
          picture.data[to + c] = (0.1 * ground[to + c] + 0.27 * grey) * (1 - cover) + glow * shade
        }
        picture.data[to + 3] = 255
      }
    }
    paper.putImageData(picture, 0, 0)
  }

  const draw = async () => {
    const index = chosen
    const map = maps[index]
    const weights = await matrix(index)
    if (index !== chosen) return
    const { columns, rows, patch } = map
    const column = Math.min(columns - 1, Math.max(0, Math.floor(at.x / patch)))
    const row = Math.min(rows - 1, Math.max(0, Math.floor(at.y / patch)))
    const count = columns * rows
    const query = row * columns + column
    const levels = Float32Array.from({ length: count }, (_, key) => weights[(query * count + key) * 4] / 255)
    paint(levels, map)
    context.imageSmoothingQuality = 'high'
    context.drawImage(sheet, 0, 0, canvas.width, canvas.height)
    const side = patch * canvas.width / width
    for (const [colour, line] of [['#08090d', 7], ['#fff', 3]]) {
      context.lineWidth = line
      context.strokeStyle = colour
      context.strokeRect(column * side, row * side, side, side)
    }
    const shares = Array.from(levels, level => level * level).filter((_, key) => key !== query).sort((a, b) => b - a)
    const total = shares.reduce((sum, share) => sum + share, 0)
    let held = 0
    let patches = 0
    while (held < total / 2) held += shares[patches++]
    const place = 'Row ' + (row + 1) + ', column ' + (column + 1)
    told.textContent = total > 0
      ? place + ': half of what it gives to others goes to ' + patches + ' of ' + (count - 1) + ' patches.'
      : place + ' attends to no other patch.'
  }

  const move = (x, y) => {
    at = { x: Math.min(width - 1, Math.max(0, x)), y: Math.min(height - 1, Math.max(0, y)) }
    draw()
  }
  const point = event => {
    const box = canvas.getBoundingClientRect()
    move((event.clientX - box.left) / box.width * width, (event.clientY - box.top) / box.height * height)
  }
  canvas.addEventListener('pointermove', point)
  canvas.addEventListener('pointerdown', point)
  canvas.addEventListener('keydown', event => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
    if (!step) return
    event.preventDefault()
    move(at.x + step[0] * maps[chosen].patch, at.y + step[1] * maps[chosen].patch)
  })
  buttons.forEach((button, index) => button.addEventListener('click', () => {
    chosen = index
    buttons.forEach((each, other) => each.setAttribute('aria-pressed', String(other === index)))
    draw()
  }))
  load(still.src).then(image => {
    const zoom = Math.max(1, Math.round(1344 / width))
    sheet.width = width
    sheet.height = height
    canvas.width = width * zoom
    canvas.height = height * zoom
    ground = pixels(image)
    still.hidden = true
    canvas.hidden = false
    return draw()
  })
})()
`
