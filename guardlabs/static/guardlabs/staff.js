// Django makes its pair of lists once the page has loaded; their icons have a name, which is read with a role only.
"use strict";

window.addEventListener("load", () => {
  setTimeout(() => {
    for (const icon of document.querySelectorAll(".search-label-icon")) icon.setAttribute("role", "img");
  });
});
