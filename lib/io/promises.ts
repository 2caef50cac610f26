// What `fovea/promises` has of this folder.
export { readSafetensorsAsync as readSafetensors } from './readSafetensors.ts'
