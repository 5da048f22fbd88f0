"use strict";
/* What pages can do better with script; without it all of them work. */

/* Buttons that copy what stands beside them. */
for (const button of document.querySelectorAll("[data-copy]")) {
	if (!navigator.clipboard) break;
	button.hidden = false;
	const label = button.innerHTML;
	button.addEventListener("click", async () => {
		try {
			await navigator.clipboard.writeText(button.parentElement.querySelector("pre").textContent);
			button.textContent = "Copied";
		} catch {
			button.textContent = "Not copied";
		}
		setTimeout(() => { button.innerHTML = label; }, 2000);
	});
}

/* The page of a run: loads itself again when the stream says that something has changed. */
const live = document.querySelector("[data-live]");
if (live) {
	const parts = ["state", "report"];
	let busy = false, again = false;

	/* What stays the same when the report is made again. */
	const detailsKey = d => d.id || [d.className, d.parentElement.className,
		d.parentElement.closest("[id]")?.id,
		d.querySelector(":scope > summary h2, :scope > summary h3")?.textContent].join(" ");
	const focusKey = e => e.tagName + (e.getAttribute("href") ?? e.getAttribute("aria-label") ??
		detailsKey(e.closest("details") ?? e));
	const focusable = "a, summary, [tabindex]";

	const replace = (old, fresh) => {
		const open = new Map(), focus = document.activeElement;
		for (const d of old.querySelectorAll("details")) open.set(detailsKey(d), d.open);
		for (const d of fresh.querySelectorAll("details"))
			if (open.has(detailsKey(d))) d.open = open.get(detailsKey(d));
		const wanted = old.contains(focus) && focus.matches(focusable) ? focusKey(focus) : null;
		old.replaceWith(fresh);
		if (wanted !== null)
			[...fresh.querySelectorAll(focusable)].find(e => focusKey(e) === wanted)?.focus();
	};
	const load = async () => {
		if (busy) { again = true; return; }
		busy = true;
		try {
			const response = await fetch(location.pathname);
			if (response.ok) {
				const page = new DOMParser().parseFromString(await response.text(), "text/html");
				for (const id of parts) {
					const old = document.getElementById(id), fresh = page.getElementById(id);
					if (old && fresh) replace(old, document.adoptNode(fresh));
				}
				/* Whoever ended the run did it for all who have its page. */
				for (const id of ["send", "release"])
					if (!page.getElementById(id)) document.getElementById(id)?.remove();
			}
		} catch { /* the next change tries again */ }
		setTimeout(() => {
			busy = false;
			if (again) { again = false; load(); }
		}, 2000);
	};
	const stream = new EventSource(live.dataset.live);
	let poll = 0;
	stream.addEventListener("change", load);
	stream.addEventListener("open", () => { load(); });
	stream.addEventListener("error", () => {
		if (stream.readyState === EventSource.CLOSED && !poll) poll = setInterval(load, 15000);
	});
	setInterval(load, 60000);
}
