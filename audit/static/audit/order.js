// Presets the time zone by the browser's clock; everybody may choose another one.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const zone = document.getElementById("time_zone");
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !zone.value && [...zone.options].some((each) => each.value === own)) zone.value = own;
});
