"""The wheel: a known world in which only an explorer finds what pays. Riquelme, Tucker and Snoek 2018, sec. 5.4."""
