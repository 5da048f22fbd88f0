// pages.mjs - the pages that belong to no run, and those that say no.
import { visitor } from "./browser.mjs";
import { TWO, accessible, judge, narrow } from "./judge.mjs";
import { SITE, outpost } from "./lab.mjs";
import { is, none, ok } from "./tap.mjs";

// Every test has its page: each on a narrow screen; accessible is looked at where they differ, in one of each group.
export async function catalogue() {
	const { tests } = JSON.parse((await outpost("tests", "--json")).out);
	const { context, page, faults } = await visitor({ width: 360 });
	const groups = new Set();
	await page.goto(`${SITE}/tests`);
	const linked = await page.locator(".tests a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
	is(linked.length, tests.length, "the catalogue leads to every test");
	for (const test of tests) {
		const response = await page.goto(`${SITE}/tests/${test.test}`, { waitUntil: "domcontentloaded" });
		const said = (what) => faults.push(`${test.test}: ${what}`);
		if (response.status() !== 200) said(response.status());
		(await narrow(page)).forEach(said);
		if (groups.has(test.group)) continue;
		groups.add(test.group);
		(await accessible(page)).forEach(said);
	}
	none(faults, `the pages of all ${tests.length} tests fit 360 px and load nothing from elsewhere; one of each group is accessible`);
	await context.close();
}

// A form that the page has, with other values: what happens on submitting it.
async function submit(page, form, values) {
	await page.goto(`${SITE}/`);
	await Promise.all([
		page.waitForNavigation(),
		page.evaluate(([action, pairs]) => {
			const f = document.querySelector(`form[action='${action}']`);
			for (const [name, value] of Object.entries(pairs)) {
				for (const e of f.querySelectorAll(`[name='${name}']`)) e.remove();
				f.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
			}
			f.submit();
		}, [form, values]),
	]);
	return null;
}

export const refusals = [
	["400", "/?a=%zz", { status: 400 }],
	["404", "/nothing", { status: 404 }],
	["404-run", `/run/${"a".repeat(26)}`, { status: 404 }],
	["403", "/run", { says: "403 Forbidden", visit: (page) => submit(page, "/run", { form: "of-somebody-else" }) }],
	["413", "/run", { says: "413 Content Too Large", visit: (page) => submit(page, "/run", { set: "a".repeat(300000) }) }],
	["422", "/run", { says: "422 Unprocessable Content", visit: (page) => submit(page, "/run", { set: "<script>alert(1)</script>" }) }],
	["429", "/optout", { says: "429 Too Many Requests", visit: async (page) => {
		await page.goto(`${SITE}/optout`);
		await page.getByLabel("Mail address").fill("nobody@four.example");
		await page.getByRole("button", { name: "No mail to this address" }).click();
		return null;
	} }],
];

export async function errors() {
	for (const [name, path, { says, ...rest }] of refusals) {
		await judge(`error-${name}`, path, { views: TWO, ...rest, also: async (page) => {
			const title = await page.locator("h1").textContent();
			ok(says ? title === says : title.startsWith(`${rest.status} `), `error-${name}: it says what is wrong`, title);
			ok(await page.getByRole("link", { name: "To the start page" }).isVisible(), `error-${name}: there is a way on`);
		} });
	}
}

export async function plain() {
	await judge("start", "/");
	await judge("start-open", "/", { open: true, views: [[360, "light"]] });
	await judge("tests", "/tests");
	await judge("test", "/tests/dane-ee-mismatch", { open: true });
	await judge("privacy", "/privacy");
	await judge("optout", "/optout");
}
