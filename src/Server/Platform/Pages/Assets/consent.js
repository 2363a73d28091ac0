// Long lists of tools get one switch for the whole group. Without a script each box is still a box.
for (const button of document.querySelectorAll("[data-all]")) {
  const boxes = [...document.querySelectorAll(`#${button.dataset.all} input[type=checkbox]`)];
  button.hidden = boxes.length < 4;
  button.addEventListener("click", () => {
    const on = !boxes.every(box => box.checked);
    for (const box of boxes) {
      box.checked = on;
    }
  });
}
