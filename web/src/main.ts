import { mount } from "svelte";
import "uplot/dist/uPlot.min.css";
import "./app.css";
import App from "./App.svelte";
import { Live, loadSite } from "./lib/live.svelte";

const page = document.getElementById("page");
if (page === null) throw new Error("index.html has no element with the id 'page'");

const site = await loadSite();
document.title = `${site.name} · Mallee`;
mount(App, { target: page, props: { live: new Live(site) } });
