"""The public pages: a view reads a request and picks a page. Imports presentation and what is below it."""
