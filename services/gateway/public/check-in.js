// The check-in page, with a script: it searches as one types, scans tickets, and lets people in while off line.
// The list stays in memory. Whom this phone let in stays in its storage until the list has them.
"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const live = at("live");
  const texts = JSON.parse(live.dataset.texts);
  const store = `check-in ${live.dataset.store}`;
  const base = location.pathname;
  const language = document.documentElement.lang;
  const EVERY = 15_000;
  const AGAIN = 60_000;
  const TRIES = 5;
  const WEEKS = 14 * 86_400;
  let list = null;
  let words = "";
  let note = "";
  let offline = false;
  let sending = false;

  const kept = () => JSON.parse(localStorage.getItem(store) || '{"entries": []}');
  const keep = (value) => localStorage.setItem(store, JSON.stringify(value));
  const filled = (text, value) => text.replace("{}", value);
  const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const device = () => {
    const value = kept();
    if (!value.device) {
      value.device = [...crypto.getRandomValues(new Uint8Array(3))].map((n) => "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"[n % 32]).join("");
      keep(value);
    }
    return value.device;
  };

  // --- tickets: the same as schemas/tickets.py -----------------------------------------------------------------------

  const code = (text) => {
    const address = /^https?:\/\/[^/]+\/C\/([^/?#]*)/i.exec(text.trim());
    const plain = (address ? address[1] : text).replace(/[\s\u200b\ufeff._-]/g, "").toUpperCase();
    const read = plain.replace(/0/g, "O").replace(/8/g, "B");
    return /^[A-Z2-7]{24}$/.test(read) ? read : null;
  };
  const digest = async (text) => {
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  // --- who comes in --------------------------------------------------------------------------------------------------

  const enter = (who) => {
    const value = kept();
    const entry = { key: crypto.randomUUID(), at: Date.now(), sent: 0, tries: 0, ...who };
    value.entries.push(entry);
    keep(value);
    note = filled(texts.noted, entry.name);
    show();
    sync();
  };
  const cameHere = (person) => {
    const entry = kept().entries.find((each) => each.attendee_id === person.id);
    if (!entry) return "";
    const time = new Date(entry.at).toLocaleTimeString(language, { timeStyle: "short" });
    return language === "fr" ? time.replace(":", "\u00a0h\u00a0") : time;
  };
  const came = (person) => person.came || cameHere(person);

  const ask = (person, title, yes, other, onYes, onOther) => {
    at("ask-title").textContent = title;
    at("ask-name").textContent = person.name;
    at("ask-note").textContent = [person.note, came(person) && filled(texts.came, came(person))].filter(Boolean).join(" · ");
    for (const [id, text, act] of [["ask-yes", yes, onYes], ["ask-other", other, onOther], ["ask-no", null, null]]) {
      const button = at(id);
      if (id !== "ask-no") {
        button.hidden = !text;
        button.textContent = text || "";
      }
      button.onclick = () => {
        at("ask").close();
        if (act) act();
      };
    }
    at("ask").showModal();
  };
  const askIn = (person) => {
    const letIn = () => enter({ attendee_id: person.id, name: person.name });
    const add = () => enter({ walk_in: true, name: person.name });
    if (came(person)) ask(person, texts.ask_in);
    else if (person.expected) ask(person, texts.ask, texts.enter_long, null, letIn);
    else ask(person, texts.ask_not_expected, null, texts.enter_anyway, null, add);
  };
  const askTicket = async (ticket) => {
    const wanted = await digest(ticket);
    const person = list.people.find((each) => each.tickets.includes(wanted));
    if (person) askIn(person);
    else {
      note = texts.unsure;
      show();
    }
  };

  // --- what is shown -------------------------------------------------------------------------------------------------

  const row = (person) => {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = person.name;
    if (person.note) name.appendChild(document.createElement("small")).textContent = person.note;
    item.appendChild(name);
    if (came(person)) item.appendChild(document.createElement("small")).textContent = `✓ ${filled(texts.came, came(person))}`;
    else if (person.expected) {
      const button = item.appendChild(document.createElement("button"));
      button.type = "button";
      button.textContent = texts.enter;
      button.setAttribute("aria-label", `${texts.enter} : ${person.name}`);
      button.onclick = () => enter({ attendee_id: person.id, name: person.name });
    }
    return item;
  };
  const show = () => {
    const { entries } = kept();
    const waiting = entries.filter((each) => !each.sent);
    const refused = entries.filter((each) => each.tries >= TRIES).map((each) => each.name);
    at("sending").textContent = [
      note,
      offline && texts.offline,
      waiting.length ? filled(texts.waiting, waiting.length) : note && !offline && texts.sent,
      refused.length && filled(texts.refused, refused.join(", ")),
    ].filter(Boolean).join("\n");
    if (!list || !at("people")) return;
    const wanted = folded(words).split(/\s+/).filter(Boolean);
    const shown = list.people.filter((person) =>
      wanted.length ? wanted.every((word) => folded(person.name).includes(word)) : person.expected || person.came);
    at("people").replaceChildren(...shown.map(row));
    if (!shown.length) at("people").appendChild(document.createElement("li")).textContent = texts.nobody;
    const more = entries.filter((each) => each.walk_in || list.people.some((one) => one.id === each.attendee_id && !one.came));
    at("present").textContent = list.present + more.length;
  };

  // --- what is asked and sent ----------------------------------------------------------------------------------------

  const send = async () => {
    const due = (each) => each.tries < TRIES && Date.now() - each.sent > AGAIN;
    const waiting = kept().entries.filter(due).slice(0, 50);
    if (!waiting.length) return;
    const entries = waiting.map((each) => ({
      key: each.key,
      ...(each.walk_in ? { name: each.name } : { attendee_id: each.attendee_id }),
      ago: Math.min(WEEKS, Math.max(0, Math.round((Date.now() - each.at) / 1000))),
    }));
    const answer = await fetch(`${base}/entries`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ device: device(), entries }),
    });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const value = kept();
    const sent = new Set(waiting.map((each) => each.key));
    value.entries.filter((each) => sent.has(each.key)).forEach((each) => (each.sent = Date.now()));
    keep(value);
    await send();
  };
  const load = async () => {
    const answer = await fetch(`${base}/list?lang=${language}`);
    if (answer.status === 404) {
      // The pass ended: no name stays on this phone. What was sent is judged by what the pass allowed then.
      localStorage.removeItem(store);
      list = null;
      document.querySelector("main").replaceChildren(document.createTextNode(texts.ended));
      clearInterval(timer);
      return;
    }
    if (!answer.ok) throw new Error(`${answer.status}`);
    list = await answer.json();
    const taken = new Set(list.keys);
    const value = kept();
    const left = value.entries.filter((each) => !taken.has(each.key));
    // Events needs a moment; what several lists lack was refused, such as somebody who cancelled meanwhile.
    left.filter((each) => each.sent && Date.now() - each.sent > EVERY / 2).forEach((each) => (each.tries += 1));
    keep({ ...value, entries: left });
  };
  const sync = async () => {
    if (sending) return;
    sending = true;
    try {
      await send();
      await load();
      offline = false;
    } catch {
      offline = true;
    }
    sending = false;
    show();
  };

  // --- the forms, once there is a list -------------------------------------------------------------------------------

  at("q").addEventListener("input", () => {
    words = code(at("q").value) ? "" : at("q").value;
    show();
  });
  at("find").addEventListener("submit", (event) => {
    const ticket = code(at("q").value);
    if (!list || (ticket && !crypto.subtle)) return;
    event.preventDefault();
    if (ticket) {
      at("q").value = "";
      askTicket(ticket);
    }
  });
  at("add").addEventListener("submit", (event) => {
    if (!list) return;
    event.preventDefault();
    // What the gateway refuses in a name would hold up all that this phone kept.
    const name = at("name").value.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ").trim();
    const same = list.people.find((each) => each.expected && !came(each) && folded(each.name) === folded(name));
    const add = () => {
      at("name").value = "";
      enter({ walk_in: true, name });
    };
    if (!name) return;
    if (same) ask(same, texts.ask_listed, texts.enter_long, texts.add_anyway, () => enter({ attendee_id: same.id, name: same.name }), add);
    else add();
  });

  // --- the camera, where the browser reads codes itself --------------------------------------------------------------

  let stream = null;
  const stop = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    at("camera").hidden = true;
    at("scan").textContent = texts.scan;
  };
  const look = async (detector) => {
    while (stream) {
      const codes = await detector.detect(at("camera")).catch(() => []);
      const ticket = codes.map((each) => code(each.rawValue)).find(Boolean);
      if (ticket && list && !at("ask").open) {
        stop();
        await askTicket(ticket);
      }
      await new Promise((resume) => setTimeout(resume, 200));
    }
  };
  if ("BarcodeDetector" in window && navigator.mediaDevices && crypto.subtle) {
    at("scan").hidden = false;
    at("scan").onclick = async () => {
      if (stream) return stop();
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
        at("camera").srcObject = stream;
        at("camera").hidden = false;
        await at("camera").play();
        at("scan").textContent = texts.stop;
        look(new BarcodeDetector({ formats: ["qr_code"] }));
      } catch {
        stop();
        note = texts.no_camera;
        show();
      }
    };
  }

  live.hidden = false;
  addEventListener("online", sync);
  const timer = setInterval(sync, EVERY);
  sync();
})();
