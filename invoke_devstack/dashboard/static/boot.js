// Loads the page again when a part of it did not arrive: browsers break requests off when a network comes or goes on the
// machine, which is what `up` and `down` do. A document cannot load a module anew that has failed once.

(() => {
  if (window.devstackBoot) return;
  window.devstackBoot = true;
  const TRIES = "devstack-tries";
  const again = () => {
    const tries = Number(sessionStorage.getItem(TRIES) ?? 0);
    if (tries >= 10) return;
    sessionStorage.setItem(TRIES, String(tries + 1));
    setTimeout(() => location.reload(), 200 * (tries + 1));
  };
  addEventListener("error", (event) => /^(SCRIPT|LINK)$/.test(event.target?.nodeName) && again(), true);
  addEventListener("devstack-broken", again);
  addEventListener("devstack-shown", () => sessionStorage.removeItem(TRIES));
})();
