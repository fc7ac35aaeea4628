"""Headline tests of real newsrooms: which of a few texts do people click, with few visitors to find out?"""
