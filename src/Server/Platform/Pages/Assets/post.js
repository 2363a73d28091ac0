// The answer goes to the app by itself. Without a script its button sends it.
document.querySelector("form.post-back").submit();
