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
	const key = (d, i) => d.id || `${d.className} ${i}`;
	let busy = false, again = false;

	const replace = (old, fresh) => {
		const open = new Map();
		old.querySelectorAll("details").forEach((d, i) => open.set(key(d, i), d.open));
		fresh.querySelectorAll("details").forEach((d, i) => {
			if (open.has(key(d, i))) d.open = open.get(key(d, i));
		});
		const focus = document.activeElement && old.contains(document.activeElement) &&
			[...old.querySelectorAll("a, summary, [tabindex]")].indexOf(document.activeElement);
		old.replaceWith(fresh);
		if (focus !== false && focus >= 0) fresh.querySelectorAll("a, summary, [tabindex]")[focus]?.focus();
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
