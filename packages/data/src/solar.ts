/** Declination of the sun in radians on a day of the year (Cooper 1969); good to half a degree. */
export function declination(dayOfYear: number): number {
  return ((23.45 * Math.PI) / 180) * Math.sin((2 * Math.PI * (284 + dayOfYear)) / 365);
}

/**
 * Sine of the sun's elevation at a solar hour (12 = noon), negative at night. Time zones and the equation of time are left
 * out: hours are solar hours of the place.
 */
export function sineOfElevation(latitudeDeg: number, dayOfYear: number, solarHour: number): number {
  const latitude = (latitudeDeg * Math.PI) / 180;
  const delta = declination(dayOfYear);
  const hourAngle = ((solarHour - 12) * Math.PI) / 12;
  return Math.sin(latitude) * Math.sin(delta) + Math.cos(latitude) * Math.cos(delta) * Math.cos(hourAngle);
}

/** Share of clear-sky irradiation that passes a cloud cover of 0 to 1 (Kasten and Czeplak 1980). */
export function cloudTransmission(cover: number): number {
  return 1 - 0.75 * cover ** 3.4;
}
