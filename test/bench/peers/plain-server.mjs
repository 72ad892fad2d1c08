// What one writes in an afternoon: Express with multer, files as they come, on disk before the answer; and express.static.
// Forked with a folder; tells its parent its port. Loopback only.
import { randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import express from 'express'
import multer from 'multer'

const [folder] = process.argv.slice(2)
const storage = multer.diskStorage({
  destination: folder,
  filename: (_request, _file, done) => done(null, randomUUID()),
})
const app = express()

app.post('/deliver', multer({ storage }).single('audio'), async (request, response) => {
  const file = await open(request.file.path, 'r+')
  await file.sync()
  await file.close()
  response.json({ status: 'received', recording: request.file.filename })
})

app.use('/files', express.static(folder))

const server = app.listen(0, '127.0.0.1', () => process.send(server.address().port))
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())
