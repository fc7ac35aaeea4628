"""May the number be believed?"""
